namespace AttentionGen.CompilerServices;

/// <summary>What can fail inside a call whose arguments are right.</summary>
internal enum Fault
{
    /// <summary>A worker is queued to the thread pool.</summary>
    Queue,

    /// <summary>Native memory is allocated.</summary>
    NativeMemory,

    /// <summary>A job is made.</summary>
    Job,

    /// <summary>An array is rented.</summary>
    Array,
}

/// <summary>Where tests let things fail. None of it is met in the steady state of calls on one thread.</summary>
internal static class Faults
{
    /// <summary>Called before something that can fail; throws what is to happen. Null but in tests.</summary>
    public static Action<Fault>? Injected { get; set; }

    public static void Before(Fault fault) => Injected?.Invoke(fault);
}
