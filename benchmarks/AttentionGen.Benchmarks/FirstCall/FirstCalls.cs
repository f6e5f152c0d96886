using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime;
using System.Runtime.CompilerServices;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Kernels;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.FirstCall;

/// <summary>
/// The first call of a kernel in a process, and the share of the JIT in it. Each measurement is a process of its own. The sequences are short, so that little of
/// the time is computing.
/// </summary>
internal static class FirstCalls
{
    /// <summary>Prefill, causal and not; fixed lengths; decode of a single head and of a group.</summary>
    private static readonly Shape[] s_shapes =
    [
        ShapeTable.P2 with { Queries = 64, Keys = 64 },
        ShapeTable.Find("S2") with { Batch = 1, Queries = 64, Keys = 64 },
        ShapeTable.Find("S3"),
        ShapeTable.Find("D2"),
        ShapeTable.Find("D1"),
    ];

    private static readonly bool s_has512 = AttentionInfo.Isa == AttentionIsas.Avx512;

    /// <summary>Measures in processes that take turns, and prints the medians.</summary>
    public static int Run(int processes, Action<string> print)
    {
        var measured = new Dictionary<(string Shape, int Threads, bool Has512), List<Sample>>();
        int[] threads = Environment.ProcessorCount == 1 ? [1] : [1, Environment.ProcessorCount];
        bool[] sets = s_has512 ? [false, true] : [false];
        for (int i = 0; i < processes; i++)
            foreach (var shape in s_shapes)
                foreach (int count in threads)
                    foreach (bool has512 in sets)
                    {
                        var key = (shape.Id, count, has512);
                        if (!measured.TryGetValue(key, out var samples)) measured[key] = samples = [];
                        samples.Add(Start(shape.Id, count, has512));
                    }

        print("| shape | threads | instructions | first call | of it the JIT | methods compiled | second call |");
        print("|---|---|---|---|---|---|---|");
        foreach (var ((shape, count, has512), samples) in measured)
        {
            string isa = has512 ? "AVX-512" : s_has512 ? "AVX2" : $"{AttentionInfo.Isa}";
            print(string.Create(
                CultureInfo.InvariantCulture,
                $"| {shape} | {count} | {isa} | {Median(samples, it => it.First):F1} ms | {Median(samples, it => it.Jit):F1} ms | {Median(samples, it => it.Methods):F0} | {Median(samples, it => it.Second):F2} ms |"));
        }

        return 0;
    }

    /// <summary>Measures in this process, which has called no kernel yet.</summary>
    public static int Measure(string id, int threads)
    {
        var call = new AttentionGenContender(new Inputs(s_shapes.Single(shape => shape.Id == id), seed: 1), AttentionLayout.TokenMajor, threads);
        Prepare(typeof(AttentionGenContender), typeof(Kernel), typeof(KernelCall), typeof(Inputs), typeof(Tensor));
        Sample.Of(static () => { }); // compiles what measures
        Console.WriteLine(Sample.Of(call.Run));
        return 0;
    }

    /// <summary>Compiles what calls kernels here: it would count as part of a first call.</summary>
    private static void Prepare(params Type[] types)
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (var type in types.Concat(types.SelectMany(type => type.GetNestedTypes(All))))
            foreach (var method in type.GetMethods(All).Where(method => !method.IsAbstract && !method.ContainsGenericParameters)) RuntimeHelpers.PrepareMethod(method.MethodHandle);
    }

    private static Sample Start(string shape, int threads, bool has512)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in (string[])["first-call", "--measure", shape, "--threads", threads.ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        if (s_has512 && !has512) start.Environment["DOTNET_EnableAVX512"] = "0";
        using var process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? Sample.Parse(text) : throw new InvalidOperationException($"A process that measured {shape} has failed.");
    }

    private static double Median(List<Sample> samples, Func<Sample, double> of) => Spread.Median([.. samples.Select(of).Order()]);

    /// <summary>Milliseconds of the first and the second call, those of the JIT in the first, and the methods that it compiled.</summary>
    private readonly record struct Sample(double First, double Jit, long Methods, double Second)
    {
        public static Sample Of(Action call)
        {
            long methods = JitInfo.GetCompiledMethodCount();
            var jit = JitInfo.GetCompilationTime();
            double first = Milliseconds(call);
            jit = JitInfo.GetCompilationTime() - jit;
            methods = JitInfo.GetCompiledMethodCount() - methods;
            return new Sample(first, jit.TotalMilliseconds, methods, Milliseconds(call));
        }

        public static Sample Parse(string text)
        {
            string[] numbers = text.Split(' ', StringSplitOptions.TrimEntries);
            double Number(int index) => double.Parse(numbers[index], CultureInfo.InvariantCulture);
            return new Sample(Number(0), Number(1), (long)Number(2), Number(3));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First} {Jit} {Methods} {Second}");

        private static double Milliseconds(Action call)
        {
            long start = Stopwatch.GetTimestamp();
            call();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
