using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Random programs on a paged cache against a model that keeps the tokens of each sequence. A program that fails is made shorter before it is shown.</summary>
[Collection(nameof(Isolated))]
public class PagedProgramTests
{
    private const int Programs = 50, Layers = 2, Pages = 24;

    private static readonly PagedKernel<float> s_kernel = PagedCalls.Compiled.Of<float>(PagedCalls.Plain);

    public enum Kind
    {
        Create,
        Append,
        Attend,
        Fork,
        Truncate,
        Free,
    }

    /// <summary>A step: an operation on the sequence with a number, counted from the first one that was ever created. It may be freed.</summary>
    public sealed record Operation(Kind Kind, int Sequence, int Other, int Tokens, int Layer)
    {
        public override string ToString() => Kind switch
        {
            Kind.Create => "create",
            Kind.Append => $"append {Tokens} tokens to s{Sequence}, layer {Layer}",
            Kind.Attend => $"append {Tokens} tokens to s{Sequence} and 1 to s{Other} and attend, layer {Layer}",
            Kind.Fork => $"fork s{Sequence}",
            Kind.Truncate => $"truncate s{Sequence} to {Tokens}",
            _ => $"free s{Sequence}",
        };
    }

    public sealed record Program(int PageTokens, Operation[] Steps)
    {
        public override string ToString() => $"pages of {PageTokens}: {string.Join("; ", Steps.Select(step => step.ToString()))}";
    }

    private static Gen<Operation> Steps =>
        from kind in Gen.Frequency((2, Gen.Constant(Kind.Create)), (6, Gen.Constant(Kind.Append)), (5, Gen.Constant(Kind.Attend)), (4, Gen.Constant(Kind.Fork)), (3, Gen.Constant(Kind.Truncate)), (2, Gen.Constant(Kind.Free)))
        from sequence in Gen.Choose(0, 7)
        from other in Gen.Choose(0, 7)
        from tokens in Gen.Frequency((4, Gen.Choose(0, 3)), (2, Gen.Choose(4, 70)), (1, Gen.Elements(15, 16, 17, 32, 64, 65)))
        from layer in Gen.Choose(0, Layers - 1)
        select new Operation(kind, sequence, other, tokens, layer);

    private static Arbitrary<Program> Arbitrary =>
        Arb.From(from pageTokens in Gen.Elements(16, 32, 64) from steps in Steps.ArrayOf(30) select new Program(pageTokens, [new(Kind.Create, 0, 0, 0, 0), .. steps]), Shorter);

    private static IEnumerable<Program> Shorter(Program program)
    {
        for (int count = program.Steps.Length / 2; count >= 1; count /= 2)
            for (int i = 0; i + count <= program.Steps.Length; i += count)
                yield return program with { Steps = [.. program.Steps[..i], .. program.Steps[(i + count)..]] };
        for (int i = 0; i < program.Steps.Length; i++)
        {
            var step = program.Steps[i];
            foreach (int tokens in new[] { 0, 1, step.Tokens / 2, step.Tokens - 1 }.Where(tokens => tokens >= 0 && tokens < step.Tokens).Distinct())
                yield return program with { Steps = [.. program.Steps[..i], step with { Tokens = tokens }, .. program.Steps[(i + 1)..]] };
        }
    }

    [Fact]
    public void Random_programs_do_what_the_model_does() =>
        Prop.ForAll(Arbitrary, program => new Machine(program).Run()).Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(Programs).WithReplay(new Replay(new Rnd(7), null)));

    /// <summary>A sequence of the model: the keys and values of each layer.</summary>
    private sealed class Model
    {
        public List<float>[] Keys { get; private init; } = [.. Enumerable.Range(0, Layers).Select(_ => new List<float>())];

        public List<float>[] Values { get; private init; } = [.. Enumerable.Range(0, Layers).Select(_ => new List<float>())];

        public bool IsFreed { get; set; }

        public int LengthOf(int layer) => Keys[layer].Count / KeyWidth;

        public Model Fork() => new() { Keys = [.. Keys.Select(keys => keys.ToList())], Values = [.. Values.Select(values => values.ToList())] };

        public void Truncate(int length)
        {
            for (int layer = 0; layer < Layers; layer++)
            {
                int kept = Math.Min(length, LengthOf(layer));
                Keys[layer].RemoveRange(kept * KeyWidth, Keys[layer].Count - kept * KeyWidth);
                Values[layer].RemoveRange(kept * ValueWidth, Values[layer].Count - kept * ValueWidth);
            }
        }
    }

    private const int KeyWidth = 2 * 32, ValueWidth = 2 * 24;

    private sealed class Machine(Program program)
    {
        private readonly List<(SequenceId Id, Model Model)> _sequences = [];
        private int _seed;

        public void Run()
        {
            using var memory = new GuardedCacheMemory(); // NaN where no token is
            using var cache = PagedCalls.Create<float>(PagedCalls.Plain, program.PageTokens, Pages, Layers);
            foreach (var step in program.Steps)
            {
                Run(cache, step);
                Check(cache);
            }

            foreach (var (id, model) in _sequences)
                if (!model.IsFreed) cache.Free(id);
            Assert.Equal((0, 0), (cache.UsedPages, cache.Sequences));
        }

        private void Run(PagedKeyValueCache<float> cache, Operation step)
        {
            if (step.Kind == Kind.Create) _sequences.Add((cache.CreateSequence(), new Model()));
            if (step.Kind == Kind.Create || step.Sequence >= _sequences.Count) return;
            var (id, model) = _sequences[step.Sequence];
            if (model.IsFreed)
            {
                Assert.Throws<ArgumentException>(() => cache.LengthOf(id));
                Assert.Throws<ArgumentException>(() => cache.Free(id));
                return;
            }

            switch (step.Kind)
            {
                case Kind.Append:
                    var inputs = new Inputs(new Problem(PagedCalls.Plain, step.Tokens, step.Tokens), _seed++);
                    try
                    {
                        cache.Append(id, inputs.Key, inputs.Value, step.Layer);
                        model.Keys[step.Layer].AddRange(inputs.Key);
                        model.Values[step.Layer].AddRange(inputs.Value);
                    }
                    catch (CacheFullException exception)
                    {
                        CheckFull(exception, cache, (model.LengthOf(step.Layer), step.Tokens));
                    }

                    break;
                case Kind.Attend:
                    Attend(cache, step, id, model);
                    break;
                case Kind.Fork:
                    _sequences.Add((cache.Fork(id), model.Fork()));
                    break;
                case Kind.Truncate:
                    int longest = Enumerable.Range(0, Layers).Max(model.LengthOf);
                    if (step.Tokens > longest)
                    {
                        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(id, step.Tokens));
                        break;
                    }

                    cache.Truncate(id, step.Tokens);
                    model.Truncate(step.Tokens);
                    break;
                default:
                    cache.Free(id);
                    model.IsFreed = true;
                    break;
            }
        }

        private void Attend(PagedKeyValueCache<float> cache, Operation step, SequenceId id, Model model)
        {
            bool two = step.Other < _sequences.Count && step.Other != step.Sequence && !_sequences[step.Other].Model.IsFreed;
            SequenceId[] ids = two ? [id, _sequences[step.Other].Id] : [id];
            Model[] models = two ? [model, _sequences[step.Other].Model] : [model];
            int[] tokens = two ? [step.Tokens, 1] : [step.Tokens], starts = PagedCalls.Starts(tokens);
            var given = new Inputs(new Problem(PagedCalls.Plain, starts[^1], starts[^1]), _seed);
            try
            {
                var inputs = PagedCalls.Step(s_kernel, cache, ids, tokens, step.Layer, _seed++, out float[] output);
                for (int i = 0; i < ids.Length; i++)
                {
                    models[i].Keys[step.Layer].AddRange(given.Key[(starts[i] * KeyWidth)..(starts[i + 1] * KeyWidth)]);
                    models[i].Values[step.Layer].AddRange(given.Value[(starts[i] * ValueWidth)..(starts[i + 1] * ValueWidth)]);
                }

                Assert.Equal(models.SelectMany(one => one.Keys[step.Layer]), inputs.Key);
                Assert.Equal(models.SelectMany(one => one.Values[step.Layer]), inputs.Value);
                Bound.Check(inputs, output);
            }
            catch (CacheFullException exception)
            {
                CheckFull(exception, cache, [.. models.Select((one, i) => (one.LengthOf(step.Layer), tokens[i]))]);
            }
        }

        /// <summary>No call needs more pages than those that it writes to.</summary>
        private void CheckFull(CacheFullException exception, PagedKeyValueCache<float> cache, params (int Length, int Tokens)[] appended)
        {
            Assert.Equal(cache.FreePages, exception.FreePages);
            Assert.InRange(exception.NeededPages, exception.FreePages + 1, appended.Sum(one => (one.Length + one.Tokens + program.PageTokens - 1) / program.PageTokens - one.Length / program.PageTokens));
        }

        private void Check(PagedKeyValueCache<float> cache)
        {
            Assert.Equal(_sequences.Count(sequence => !sequence.Model.IsFreed), cache.Sequences);
            int blocks = 0;
            foreach (var (id, model) in _sequences.Where(sequence => !sequence.Model.IsFreed))
            {
                for (int layer = 0; layer < Layers; layer++)
                {
                    var (keys, values) = PagedCalls.Read(cache, id, layer);
                    Assert.Equal(model.Keys[layer], keys);
                    Assert.Equal(model.Values[layer], values);
                }

                blocks += (Enumerable.Range(0, Layers).Max(model.LengthOf) + program.PageTokens - 1) / program.PageTokens;
            }

            Assert.InRange(cache.UsedPages, 0, blocks); // less where pages are shared
        }
    }
}
