using AttentionGen;
using AttentionGen.Benchmarks;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Machine;
using AttentionGen.Benchmarks.Report;
using BenchmarkDotNet.Running;

return Options.Commands(Compare, Documents.Write, Bench).Parse(args).Invoke();

static int Compare(Options options)
{
    if (Build.IsDebug)
    {
        Console.Error.WriteLine("Not timed: this is a Debug build. Kernels are ten times slower in it, and so is the measured peak.");
        Console.Error.WriteLine("  dotnet run -c Release --project benchmarks/AttentionGen.Benchmarks -- compare");
        return 2;
    }

    Console.Error.WriteLine($"{CpuModel.Here}, {AttentionInfo.Isa}: {options.Shapes.Count} shapes, threads {string.Join(", ", options.Threads)}");
    var comparison = new Comparison(options.Seed, Console.Error.WriteLine);
    foreach (var shape in options.Shapes) comparison.Run(shape, options.Threads);
    string[] notes = [.. comparison.Notes, .. SlowModes.Notes(comparison.Results), .. RecordedPeers.Check(CpuModel.Here, comparison.Results)];

    ResultTable.Print(comparison.Results, notes);
    if (options.Json is { } file) ResultFile.Write(comparison.Results, file);
    if (options.Save) ResultFolder.Save(comparison.Results, notes);
    return 0;
}

static int Bench(string[] arguments)
{
    BenchmarkSwitcher.FromAssembly(typeof(Options).Assembly).Run(arguments);
    return 0;
}
