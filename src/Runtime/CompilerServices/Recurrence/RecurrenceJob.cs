namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs a call of linear attention. A unit is some key-value heads of an item with their queries: tokens follow each other, heads do not depend on each other. So no result depends on the number of threads, on the
/// layout, or on the other items of a call.
/// </summary>
internal sealed unsafe class RecurrenceJob : PooledJob<RecurrenceJob>
{
    // The work for which a further thread pays, as for products with packed weights.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    /// <summary>The most floats of the states of a unit, which stay in the second-level cache from chunk to chunk.</summary>
    private const int MostStates = 1 << 17;

    private RecurrenceArguments _call;
    private RecurrenceLayout _layout;
    private float* _memory; // of the caller's thread

    private static RecurrenceJob Create() => new();

    /// <exception cref="OutOfMemoryException">There is no memory for the caller's thread. Nothing is written.</exception>
    public static void Run(in RecurrenceArguments call)
    {
        long units = (long)call.Items * call.KeyValueHeads;
        if (units == 0) return;
        double tokens = (call.Starts == null ? call.Items : 1.0) * Math.Max(call.Queries, call.Keys), state = (double)call.HeadDim * call.ValueDim;
        double work = Math.Max(4 * tokens * call.Heads * state / FlopsPerThread, 2 * sizeof(float) * units * state / BytesPerThread);
        int threads = (int)Math.Clamp(work, 1, Math.Min(Math.Min(call.MaxThreads, MaxThreads), units));
        int heads = (int)Math.Clamp(units / threads, 1, Math.Min(call.KeyValueHeads, Math.Max(MostStates / (call.HeadDim * call.ValueDim), 1)));
        heads = RecurrenceLayout.Parts(call.KeyValueHeads, RecurrenceLayout.Parts(call.KeyValueHeads, heads)); // parts of nearly the same size
        units = (long)call.Items * RecurrenceLayout.Parts(call.KeyValueHeads, heads);
        threads = (int)Math.Min(threads, units);
        var layout = new RecurrenceLayout(call, LinearCores.Best.Plan, heads);
        float* memory = ScratchCache.Rent((nuint)layout.Floats * sizeof(float));
        try
        {
            var job = threads > 1 ? Rent(&Create) : null;
            if (job is null) (job, threads) = (Alone(&Create), 1);
            (job._call, job._layout) = (call, layout);
            job._memory = memory;
            job.Run(units, threads); // after this line another call may own the job
        }
        finally
        {
            ScratchCache.Return(memory);
        }
    }

    protected override void Work(int worker)
    {
        float* memory = _memory;
        try
        {
            if (worker != 0) memory = ScratchCache.Rent((nuint)_layout.Floats * sizeof(float));
        }
        catch (OutOfMemoryException)
        {
            return; // the others do without this thread
        }

        try
        {
            if (KernelIsa.Avx512) Units<Floats512>(memory);
            else if (KernelIsa.Avx2) Units<Floats256>(memory);
            else Units<Floats128>(memory);
        }
        finally
        {
            if (worker != 0) ScratchCache.Return(memory);
        }
    }

    private void Units<TVector>(float* memory)
        where TVector : struct, IFloats<TVector>
    {
        var unit = new RecurrenceUnit<TVector>(_call, _layout, memory);
        int heads = _layout.UnitHeads, parts = RecurrenceLayout.Parts(_call.KeyValueHeads, heads);
        while (TakeUnit(out long index))
        {
            int first = (int)(index % parts) * heads;
            unit.Run((int)(index / parts), first, Math.Min(heads, _call.KeyValueHeads - first));
        }
    }
}
