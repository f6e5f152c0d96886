namespace AttentionGen.Benchmarks.Compare;

/// <summary>Something that is timed in turn with others.</summary>
internal abstract class Timed : IDisposable
{
    /// <summary>Wakes what a call needs awake; before calls back to back.</summary>
    public virtual void Enter()
    {
    }

    public abstract void Run();

    /// <summary>Returns when nothing of it runs on that could disturb the next; after calls back to back.</summary>
    public virtual void Leave()
    {
    }

    public virtual void Dispose()
    {
    }
}
