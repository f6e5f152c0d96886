namespace AttentionGen.CompilerServices;

/// <summary>
/// Says who uses memory that may be freed, such as a cache: some readers, or one call that changes it. Nobody waits. The last one that leaves a closed gate frees what is behind it.
/// </summary>
internal struct UseGate
{
    private const int Changes = 1 << 29, Closed = 1 << 30; // beside the number of readers

    private int _state;

    public enum Result
    {
        Entered,
        Busy,
        Closed,
    }

    public Result TryRead()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if ((state & Closed) != 0) return Result.Closed;
            if ((state & Changes) != 0) return Result.Busy;
            if (Interlocked.CompareExchange(ref _state, state + 1, state) == state) return Result.Entered;
        }
    }

    public Result TryChange()
    {
        int state = Interlocked.CompareExchange(ref _state, Changes, 0);
        return state == 0 ? Result.Entered : (state & Closed) != 0 ? Result.Closed : Result.Busy;
    }

    /// <returns>Whether the gate is closed and nobody is left.</returns>
    public bool EndRead() => Interlocked.Decrement(ref _state) == Closed;

    /// <inheritdoc cref="EndRead"/>
    public bool EndChange() => Interlocked.And(ref _state, ~Changes) == (Changes | Closed);

    /// <returns>Whether nobody is behind the gate, and it was open until now.</returns>
    public bool Close() => Interlocked.Or(ref _state, Closed) == 0;
}
