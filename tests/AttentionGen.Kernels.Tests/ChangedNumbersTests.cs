using System.Diagnostics;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Starts, lengths and lists that another thread changes while a kernel runs: what is checked is what is used, so that the call gives a result or an exception, and touches no
/// memory but its own.
/// </summary>
[Collection(nameof(Isolated))]
public sealed class ChangedNumbersTests : IDisposable
{
    private static readonly Declaration s_batched = new(2, 16)
    {
        Mask = AttentionMask.Causal, Batched = true, Roles = Roles.MaxThreads | Roles.QueryStarts | Roles.KeyLengths | Roles.PrefixLengths,
    };

    private static readonly Declaration s_packed = new(2, 16) { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts | Roles.KeyLengths };

    private static readonly Declaration s_sparse = new(2, 16) { KeyValueHeads = 1, Blocks = (16, 32, AttentionAxes.Query) };

    internal static readonly Declaration[] Declarations = [s_batched, s_packed, s_sparse];

    private readonly List<GuardedMemory> _memory = [];

    public void Dispose() => _memory.ForEach(memory => memory.Dispose());

    private delegate KernelArguments With(KernelArguments arguments, int[] numbers);

    [Theory, InlineData(2), InlineData(80)]
    public void Of_batch_items(int queries)
    {
        var problem = new Problem(s_batched, queries, 90) { Batch = 3, QueryStarts = [0, 5, 9], KeyLengths = [90, 3, 60], PrefixLengths = [0, 4, 90], MaxThreads = 2 };
        Change(problem, problem.KeyLengths, (arguments, numbers) => arguments with { KeyLengths = numbers });
        Change(problem, problem.QueryStarts, (arguments, numbers) => arguments with { QueryStarts = numbers });
        Change(problem, problem.PrefixLengths, (arguments, numbers) => arguments with { PrefixLengths = numbers });
    }

    [Theory, InlineData(6), InlineData(120)]
    public void Of_documents(int queries)
    {
        int[] starts = [0, 1, 1, queries / 2, queries], keyStarts = [0, 30, 33, 34, 90];
        var problem = new Problem(s_packed, queries, 90) { DocumentStarts = starts, KeyDocumentStarts = keyStarts, KeyLengths = [30, 3, 0, 20], MaxThreads = 2 };
        Change(problem, starts, (arguments, numbers) => arguments with { DocumentStarts = numbers });
        Change(problem, keyStarts, (arguments, numbers) => arguments with { KeyDocumentStarts = numbers });
        Change(problem, problem.KeyLengths, (arguments, numbers) => arguments with { KeyLengths = numbers });
    }

    [Theory, InlineData(5), InlineData(70)]
    public void Of_lists_of_blocks(int queries)
    {
        int rows = (queries + 15) / 16;
        int[] starts = [.. Enumerable.Range(0, rows + 1).Select(i => 2 * i)], blocks = [.. Enumerable.Range(0, rows).SelectMany(i => new[] { i % 2, 2 })];
        var problem = new Problem(s_sparse, queries, 90) { Lists = (starts, blocks), MaxThreads = 2 };
        Change(problem, starts, (arguments, numbers) => arguments with { KeyBlockStarts = numbers });
        Change(problem, blocks, (arguments, numbers) => arguments with { KeyBlocks = numbers });
    }

    private void Change(Problem problem, int[] numbers, With with)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        const int Calls = 1500, Each = 100;
        var longest = TimeSpan.FromMinutes(1);
        var kernel = Catalogue.Kernels[problem.Declaration];
        var inputs = new Inputs(problem);
        int[] good = [.. numbers], given = [.. numbers];
        bool done = false;
        var other = new Thread(() =>
        {
            var random = new Random(3);
            int[] wild = [int.MinValue, -1, 1 << 20, 1 << 29, int.MaxValue];
            while (!Volatile.Read(ref done))
            {
                int i = random.Next(given.Length);
                Volatile.Write(ref given[i], wild[random.Next(wild.Length)]);
                Thread.SpinWait(random.Next(200)); // as long as some calls
                Volatile.Write(ref given[i], good[i]);
                Thread.SpinWait(random.Next(200));
            }
        });
        var memory = new[] { inputs.Query.Length, inputs.Key.Length, inputs.Value.Length, problem.OutputLength }.Select(length => new GuardedMemory(length * sizeof(float), guard: 1 << 20)).ToArray();
        _memory.AddRange(memory);
        other.Start();
        int refused = 0, passed = 0;
        long begun = Stopwatch.GetTimestamp();
        try
        {
            for (int i = 0; i < Calls || (Math.Min(refused, passed) < Each && Stopwatch.GetElapsedTime(begun) < longest); i++)
            {
                bool atEnd = i % 2 == 0;
                var output = memory[3].Take<float>(problem.OutputLength, atEnd);
                output.Fill(float.NaN);
                try
                {
                    kernel.Body(with(inputs.Arguments(memory[0].Copy<float>(inputs.Query, atEnd), memory[1].Copy<float>(inputs.Key, atEnd), memory[2].Copy<float>(inputs.Value, atEnd), output), given));
                    passed++;
                    Assert.False(output.Contains(float.NaN), "a part of the output was not written");
                }
                catch (ArgumentException)
                {
                    refused++;
                    Assert.Equal(-1, output.IndexOfAnyExcept(float.NaN));
                }
            }
        }
        finally
        {
            Volatile.Write(ref done, true);
            other.Join();
        }

        Assert.True(Math.Min(refused, passed) >= Each, $"{refused} calls were refused, {passed} were not");
    }
}
