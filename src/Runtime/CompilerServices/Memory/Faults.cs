namespace AttentionGen.CompilerServices;

/// <summary>The operations that can fail inside a valid call.</summary>
internal enum Fault
{
    /// <summary>Queueing a worker to the thread pool.</summary>
    Queue,

    /// <summary>Allocating native memory.</summary>
    NativeMemory,

    /// <summary>Creating a job.</summary>
    Job,

    /// <summary>Renting an array.</summary>
    Array,
}

/// <summary>Lets tests inject failures. Repeated calls on one thread perform none of these operations.</summary>
internal static class Faults
{
    /// <summary>Called before an operation that can fail; it throws to inject a failure. Null outside of tests.</summary>
    public static Action<Fault>? Injected { get; set; }

    public static void Before(Fault fault) => Injected?.Invoke(fault);
}
