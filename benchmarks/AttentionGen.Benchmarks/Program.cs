using AttentionGen;
using AttentionGen.Benchmarks;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.FirstCall;
using AttentionGen.Benchmarks.Machine;
using AttentionGen.Benchmarks.Report;
using BenchmarkDotNet.Running;

return Options.Commands(Compare, FirstCall, FirstCalls.Measure, Documents.Write, Bench).Parse(args).Invoke();

static int Compare(Options options)
{
    if (IsNotTimed("compare")) return 2;
    Console.Error.WriteLine($"{CpuModel.Here}, {AttentionInfo.Isa}: {options.Shapes.Count} shapes, threads {string.Join(", ", options.Threads)}");
    var comparison = new Comparison(options.Seed, Console.Error.WriteLine);
    foreach (var shape in options.Shapes) comparison.Run(shape, options.Threads);
    string[] notes = [.. comparison.Notes, .. SlowModes.Notes(comparison.Results), .. RecordedPeers.Check(CpuModel.Here, comparison.Results)];

    ResultTable.Print(comparison.Results, notes);
    if (options.Json is { } file) ResultFile.Write(comparison.Results, file);
    if (options.Save) ResultFolder.Save(comparison.Results, notes);
    return 0;
}

static int FirstCall(int processes) => IsNotTimed("first-call") ? 2 : FirstCalls.Run(processes, Console.WriteLine);

static bool IsNotTimed(string command)
{
    if (!Build.IsDebug) return false;
    Console.Error.WriteLine("Not timed: this is a Debug build. Kernels are ten times slower in it, and so is the measured peak.");
    Console.Error.WriteLine($"  dotnet run -c Release --project benchmarks/AttentionGen.Benchmarks -- {command}");
    return true;
}

static int Bench(string[] arguments)
{
    BenchmarkSwitcher.FromAssembly(typeof(Options).Assembly).Run(arguments);
    return 0;
}
