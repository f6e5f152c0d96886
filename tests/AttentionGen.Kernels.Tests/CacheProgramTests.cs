using System.Globalization;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using static AttentionGen.Kernels.Tests.ProgramKernels;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Random programs on all caches against a model that keeps the tokens of each sequence. A program that fails is made shorter before it is shown.
/// Places without a token hold NaN.
/// </summary>
[Collection(nameof(Isolated))]
public class CacheProgramTests
{
    private const int Programs = 80, KeyWidth = 2 * KeyDim, ValueWidth = 2 * ValueDim;

    public enum Cache
    {
        Whole,
        Ring,
        Paged,
    }

    public enum Kind
    {
        Create,
        Append,
        Attend,
        Look,
        Fork,
        Truncate,
        Free,
        Save,
    }

    /// <summary>A step: an operation on the sequence with a number, counted from the first one that was ever created. It may be freed.</summary>
    /// <param name="Failing">The native allocation that fails, counted from 1; 0 for none.</param>
    public sealed record Operation(Kind Kind, int Sequence = 0, int Other = 0, int Tokens = 0, int Layer = 0, int Failing = 0)
    {
        public override string ToString() => Kind switch
        {
            Kind.Create => "create",
            Kind.Append => $"append {Tokens} tokens to s{Sequence}, layer {Layer}",
            Kind.Attend => $"append {Tokens} tokens to s{Sequence} and 1 to s{Other} and attend, layer {Layer}",
            Kind.Look => $"attend to s{Sequence} with {Tokens} queries, layer {Layer}",
            Kind.Fork => $"fork s{Sequence}",
            Kind.Truncate => $"truncate s{Sequence} to {Tokens}",
            Kind.Save => $"save and load s{Sequence}",
            _ => $"free s{Sequence}",
        } + (Failing > 0 ? $" while allocation {Failing} fails" : "");
    }

    /// <param name="Cache">The kind of cache. Where a cache has one sequence, each sequence has a cache, and a fork is a clone.</param>
    /// <param name="Storage">The type of its elements.</param>
    /// <param name="Size">The capacity, the slack of a ring, or the tokens of a page.</param>
    /// <param name="Steps">The steps.</param>
    public sealed record Program(Cache Cache, Storage Storage, int Size, Operation[] Steps)
    {
        public override string ToString() =>
            $"{Cache switch { Cache.Whole => $"caches of {Storage.TypeName()} with the capacity", Cache.Ring => $"rings of {Storage.TypeName()} with the slack", _ => $"pages of {Storage.TypeName()} with tokens" }} {Size}: "
            + string.Join("; ", Steps.Select(step => step.ToString()));
    }

    private static Gen<Operation> Steps =>
        from kind in Gen.Frequency(
            (2, Gen.Constant(Kind.Create)), (6, Gen.Constant(Kind.Append)), (5, Gen.Constant(Kind.Attend)), (4, Gen.Constant(Kind.Look)), (4, Gen.Constant(Kind.Fork)), (3, Gen.Constant(Kind.Truncate)),
            (1, Gen.Constant(Kind.Free)), (3, Gen.Constant(Kind.Save)))
        from sequence in Gen.Frequency((3, Gen.Choose(0, 1)), (2, Gen.Choose(0, 7))) // the first ones are there
        from other in Gen.Choose(0, 4)
        from tokens in Gen.Frequency((4, Gen.Choose(0, 3)), (2, Gen.Choose(4, 70)), (1, Gen.Elements(15, 16, 17, 32, 64, 65)))
        from layer in Gen.Choose(0, Layers - 1)
        from failing in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(1, 4)))
        select new Operation(kind, sequence, other, tokens, layer, failing);

    private static Arbitrary<Program> Arbitrary => Arb.From(
        from cache in Gen.Elements(Cache.Whole, Cache.Ring, Cache.Paged, Cache.Paged)
        from storage in Gen.Elements(Storage.Wide, Storage.Half, Storage.BFloat16, Storage.SByte)
        from size in cache == Cache.Whole ? Gen.Elements(0, 60) : cache == Cache.Ring ? Gen.Elements(1, 6, 40) : Gen.Elements(16, 32, 64)
        from steps in Steps.ArrayOf(30)
        select new Program(cache, storage, size, [new(Kind.Create), .. steps]),
        Shorter);

    private static IEnumerable<Program> Shorter(Program program)
    {
        for (int count = program.Steps.Length / 2; count >= 1; count /= 2)
            for (int i = 0; i + count <= program.Steps.Length; i += count)
                yield return program with { Steps = [.. program.Steps[..i], .. program.Steps[(i + count)..]] };
        for (int i = 0; i < program.Steps.Length; i++)
        {
            var step = program.Steps[i];
            if (step.Failing > 0) yield return With(i, step with { Failing = 0 });
            foreach (int tokens in new[] { 0, 1, step.Tokens / 2, step.Tokens - 1 }.Where(tokens => tokens >= 0 && tokens < step.Tokens).Distinct()) yield return With(i, step with { Tokens = tokens });
        }

        if (program.Storage != Storage.Wide) yield return program with { Storage = Storage.Wide };

        Program With(int i, Operation step) => program with { Steps = [.. program.Steps[..i], step, .. program.Steps[(i + 1)..]] };
    }

    /// <summary>The seed of an exploration, or null: then that of CI.</summary>
    private static readonly string? s_seed = Environment.GetEnvironmentVariable(PropertyTests.SeedVariable);

    [Fact]
    public void Random_programs_do_what_the_model_does()
    {
        var seen = new Dictionary<string, int>();
        Prop.ForAll(Arbitrary, program =>
        {
            if (program.Storage == Storage.Wide) new Machine<float>(program, seen).Run();
            else if (program.Storage == Storage.Half) new Machine<Half>(program, seen).Run();
            else if (program.Storage == Storage.BFloat16) new Machine<BFloat16>(program, seen).Run();
            else new Machine<sbyte>(program, seen).Run();
        }).Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(Programs).WithReplay(new Replay(new Rnd(s_seed is null ? 7 : ulong.Parse(s_seed, CultureInfo.InvariantCulture)), null)));

        // The programs of CI reach what they are for.
        if (s_seed is not null) return;
        foreach (string what in new[] { "full", "failed Append", "failed Attend", "failed Look", "failed Fork", "failed Save", "Save", "Look" })
            Assert.True(seen.GetValueOrDefault(what) >= 5, string.Join(", ", seen));
    }

    private sealed class Machine<T>(Program program, Dictionary<string, int> seen)
        where T : unmanaged
    {
        private readonly List<CacheModel<T>> _models = [];
        private int _seed;

        public void Run()
        {
            using var memory = new GuardedCacheMemory(); // NaN where no token is
            using (CacheSubject<T> subject = program.Cache switch { Cache.Whole => new WholeSubject<T>(program.Size), Cache.Ring => new RingSubject<T>(program.Size), _ => new PagedSubject<T>(program.Size) })
            {
                foreach (var step in program.Steps)
                {
                    Run(subject, step);
                    Check(subject);
                }

                for (int i = 0; i < _models.Count; i++)
                    if (!_models[i].IsFreed) subject.Free(i);
                subject.Check([]);
            }

            Assert.Equal(0, memory.Blocks);
        }

        private void Run(CacheSubject<T> subject, Operation step)
        {
            if (step.Kind == Kind.Create)
            {
                if (Try(step, subject.Create)) _models.Add(new());
                return;
            }

            if (step.Sequence >= _models.Count) return;
            int sequence = step.Sequence, layer = step.Layer;
            var model = _models[sequence];
            if (model.IsFreed)
            {
                subject.CheckFreed(sequence);
                return;
            }

            switch (step.Kind)
            {
                case Kind.Append:
                    var given = new Inputs(new Problem(subject.Declaration, step.Tokens, step.Tokens), _seed++);
                    Rows<T> keys = Stored.Round<T>(given.Key, KeyDim), values = Stored.Round<T>(given.Value, ValueDim);
                    if (Append(subject, step, [(model, step.Tokens)], () => subject.Append(sequence, keys, values, layer))) model.Append(layer, given.Key, given.Value);
                    break;
                case Kind.Attend:
                    Attend(subject, step, model);
                    break;
                case Kind.Look:
                    Look(subject, step, model);
                    break;
                case Kind.Fork:
                    if (Try(step, () => subject.Fork(sequence))) _models.Add(model.Fork());
                    break;
                case Kind.Truncate:
                    Truncate(subject, step, model);
                    break;
                case Kind.Save:
                    Try(step, () => subject.Save(sequence));
                    break;
                default:
                    subject.Free(sequence);
                    model.IsFreed = true;
                    break;
            }
        }

        private void Attend(CacheSubject<T> subject, Operation step, CacheModel<T> model)
        {
            bool two = subject.IsPaged && step.Other < _models.Count && step.Other != step.Sequence && !_models[step.Other].IsFreed;
            int[] sequences = two ? [step.Sequence, step.Other] : [step.Sequence], tokens = two ? [step.Tokens, 1] : [step.Tokens], starts = PagedCalls.Starts(tokens);
            CacheModel<T>[] models = two ? [model, _models[step.Other]] : [model];
            var given = new Inputs(new Problem(subject.Declaration, starts[^1], starts[^1]), _seed++);
            float[] output = new float[given.Problem.OutputLength];
            if (!Append(subject, step, [.. models.Zip(tokens)], () => subject.Step(sequences, starts, given, step.Layer, output))) return;
            for (int i = 0; i < models.Length; i++)
            {
                var (start, end) = (starts[i], starts[i + 1]);
                models[i].Append(step.Layer, given.Key.AsSpan((start * KeyWidth)..(end * KeyWidth)), given.Value.AsSpan((start * ValueWidth)..(end * ValueWidth)));
                if (end > start) models[i].Check(subject.Declaration, step.Layer, given.Query.AsSpan((start * 128)..(end * 128)), output.AsSpan((start * 96)..(end * 96)));
            }
        }

        private void Look(CacheSubject<T> subject, Operation step, CacheModel<T> model)
        {
            int length = model.LengthOf(step.Layer), queries = Math.Min(step.Tokens, length);
            if (queries == 0) return;
            var given = new Inputs(new Problem(subject.Declaration, queries, queries), _seed++);
            float[] output = new float[given.Problem.OutputLength];
            if (HasWindow(subject, step.Sequence, step.Layer, length - queries, length))
            {
                if (Try(step, () => subject.Look(step.Sequence, given.Query, step.Layer, output))) model.Check(subject.Declaration, step.Layer, given.Query, output);
            }
            else
            {
                Assert.Throws<ArgumentException>(() => subject.Look(step.Sequence, given.Query, step.Layer, output));
            }
        }

        private static void Truncate(CacheSubject<T> subject, Operation step, CacheModel<T> model)
        {
            int length = step.Tokens;
            bool possible = length <= model.Longest && Enumerable.Range(0, Layers).All(layer => length >= model.LengthOf(layer) || HasWindow(subject, step.Sequence, layer, length, length));
            if (possible)
            {
                subject.Truncate(step.Sequence, length);
                model.Truncate(length);
            }
            else
            {
                Assert.Throws<ArgumentOutOfRangeException>(() => subject.Truncate(step.Sequence, length));
            }
        }

        /// <summary>Whether a cache has what a query at a position sees of the tokens before the end.</summary>
        private static bool HasWindow(CacheSubject<T> subject, int sequence, int layer, int position, int end)
        {
            int left = subject.Declaration.Window.Left, first = subject.Retained(sequence, layer).Start.Value;
            return left < 0 || Math.Min(first, end) <= Math.Max(subject.Declaration.FirstKeys, position - left);
        }

        /// <summary>Runs a step that appends, unless there is no room: then it must say so and change nothing.</summary>
        /// <returns>Whether it has appended.</returns>
        private bool Append(CacheSubject<T> subject, Operation step, (CacheModel<T> Model, int Tokens)[] appended, Action run)
        {
            if (subject.IsFull(appended[0].Model.LengthOf(step.Layer), appended[0].Tokens))
            {
                Count("full");
                Assert.Throws<ArgumentException>(run);
                return false;
            }

            try
            {
                return Try(step, run);
            }
            catch (CacheFullException exception) when (subject is PagedSubject<T> paged)
            {
                Count("full");
                paged.CheckFull(exception, [.. appended.Select(one => (one.Model.LengthOf(step.Layer), one.Tokens))]);
                return false;
            }
        }

        /// <summary>Runs a step, in which an allocation may fail.</summary>
        /// <returns>Whether none has failed.</returns>
        private bool Try(Operation step, Action run)
        {
            if (step.Failing > 0) AttentionScratch.Trim(); // so that calls allocate
            int left = step.Failing;
            Faults.Injected = fault =>
            {
                if (fault == Fault.NativeMemory && --left == 0) throw new InsufficientMemoryException("injected");
            };
            try
            {
                run();
                Count(step.Kind.ToString());
                return true;
            }
            catch (InsufficientMemoryException)
            {
                Count($"failed {step.Kind}");
                return false;
            }
            finally
            {
                Faults.Injected = null;
            }
        }

        private void Count(string what) => seen[what] = seen.GetValueOrDefault(what) + 1;

        private void Check(CacheSubject<T> subject)
        {
            for (int i = 0; i < _models.Count; i++)
            {
                var model = _models[i];
                for (int layer = 0; layer < Layers && !model.IsFreed; layer++)
                {
                    int length = model.LengthOf(layer), firstKeys = subject.Declaration.FirstKeys;
                    Assert.Equal(length, subject.LengthOf(i, layer));
                    var (first, end) = (subject.Retained(i, layer).Start.Value, subject.Retained(i, layer).End.Value);
                    Assert.Equal(length, end);
                    Assert.True(HasWindow(subject, i, layer, length, length), "The window of the next token is not there.");
                    Rows(first, end);
                    if (first > 0) Rows(0, Math.Min(firstKeys, length));

                    void Rows(int from, int to)
                    {
                        Rows<T> keys = Stored.Empty<T>((to - from) * KeyWidth, KeyDim), values = Stored.Empty<T>((to - from) * ValueWidth, ValueDim);
                        subject.Read(i, from, keys, values, layer);
                        model.Check(layer, from, to, keys, values);
                    }
                }
            }

            subject.Check([.. _models.Where(model => !model.IsFreed)]);
        }
    }
}
