using System.Globalization;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Random programs on all caches against a model that keeps the tokens of each sequence. A program that fails is made shorter before it is shown.
/// Places without a token hold NaN.
/// </summary>
[Collection(nameof(Isolated))]
public class CacheProgramTests
{
    private const int Programs = 80, Layers = 2, Pages = 8;

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

    private static readonly CachedKernels s_whole = new([PagedCalls.Plain]);

    private static readonly PagedKernels s_paged = new([PagedCalls.Plain]);

    private const int KeyDim = 32, ValueDim = 24, KeyWidth = 2 * KeyDim, ValueWidth = 2 * ValueDim;

    /// <summary>A sequence of the model: the keys and values of each layer, as they are stored.</summary>
    private sealed class Model<T>
        where T : unmanaged
    {
        private Tokens<T>[] Keys { get; init; } = [.. Enumerable.Range(0, Layers).Select(_ => new Tokens<T>(KeyDim))];

        private Tokens<T>[] Values { get; init; } = [.. Enumerable.Range(0, Layers).Select(_ => new Tokens<T>(ValueDim))];

        public bool IsFreed { get; set; }

        public int Longest => Enumerable.Range(0, Layers).Max(LengthOf);

        public int LengthOf(int layer) => Keys[layer].Count;

        public void Append(int layer, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
        {
            Keys[layer].Add(Stored.Round<T>(keys, KeyDim));
            Values[layer].Add(Stored.Round<T>(values, ValueDim));
        }

        public Model<T> Fork() => new() { Keys = [.. Keys.Select(keys => keys.Copy())], Values = [.. Values.Select(values => values.Copy())] };

        public void Truncate(int length)
        {
            for (int layer = 0; layer < Layers; layer++)
            {
                int kept = Math.Min(length, LengthOf(layer));
                Keys[layer].Truncate(kept);
                Values[layer].Truncate(kept);
            }
        }

        /// <summary>Checks that rows are those of the tokens from one to another.</summary>
        public void Check(int layer, int first, int end, Rows<T> keys, Rows<T> values)
        {
            Assert.True(Keys[layer].AreAt(first, end, keys), "keys");
            Assert.True(Values[layer].AreAt(first, end, values), "values");
        }

        /// <summary>Checks the result of queries at the last tokens.</summary>
        public void Check(Declaration declaration, int layer, ReadOnlySpan<float> query, ReadOnlySpan<float> output)
        {
            var all = new Inputs(new Problem(declaration, query.Length / (declaration.Heads * declaration.HeadDim), LengthOf(layer)));
            query.CopyTo(all.Query);
            Keys[layer].Floats.CopyTo(all.Key, 0);
            Values[layer].Floats.CopyTo(all.Value, 0);
            Bound.Check(all, output.ToArray());
        }
    }

    /// <summary>The keys of tokens, or their values: elements, and scales where they are integers.</summary>
    private sealed class Tokens<T>(int dim)
        where T : unmanaged
    {
        private const int Heads = 2;

        private readonly List<T> _elements = [];
        private readonly List<float> _scales = [];

        public int Count => _elements.Count / (Heads * dim);

        public float[] Floats => new Rows<T>([.. _elements], [.. _scales], dim).Floats;

        public void Add(Rows<T> rows)
        {
            _elements.AddRange(rows.Elements);
            _scales.AddRange(rows.Scales);
        }

        public Tokens<T> Copy()
        {
            var copy = new Tokens<T>(dim);
            copy.Add(new([.. _elements], [.. _scales], dim));
            return copy;
        }

        public void Truncate(int count)
        {
            _elements.RemoveRange(count * Heads * dim, _elements.Count - count * Heads * dim);
            if (_scales.Count > 0) _scales.RemoveRange(count * Heads, _scales.Count - count * Heads);
        }

        /// <summary>Whether rows have the bits of the tokens from one to another.</summary>
        public bool AreAt(int first, int end, Rows<T> rows) => Same(_elements, rows.Elements, Heads * dim, first, end) && (rows.Scales.Length == 0 || Same(_scales, rows.Scales, Heads, first, end));

        private static bool Same<TElement>(List<TElement> all, TElement[] rows, int width, int first, int end)
            where TElement : unmanaged => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(all)[(first * width)..(end * width)]).SequenceEqual(MemoryMarshal.AsBytes(rows.AsSpan()));
    }

    /// <summary>The caches of a program. A sequence is known by its number.</summary>
    private abstract class Subject<T> : IDisposable
        where T : unmanaged
    {
        public virtual Declaration Declaration => PagedCalls.Plain;

        /// <summary>Whether a call may have two sequences.</summary>
        public virtual bool IsPaged => false;

        public abstract void Create();

        public abstract int LengthOf(int sequence, int layer);

        /// <summary>The tokens that are there, beside first keys.</summary>
        public virtual Range Retained(int sequence, int layer) => 0..LengthOf(sequence, layer);

        public abstract void Append(int sequence, Rows<T> keys, Rows<T> values, int layer);

        public abstract void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer);

        public abstract void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output);

        public abstract void Look(int sequence, float[] query, int layer, float[] output);

        public abstract void Fork(int sequence);

        public abstract void Truncate(int sequence, int length);

        public abstract void Free(int sequence);

        /// <summary>Saves what has a sequence, loads it and goes on with that.</summary>
        public abstract void Save(int sequence);

        /// <summary>Checks that calls on a freed sequence are refused.</summary>
        public abstract void CheckFreed(int sequence);

        /// <summary>Checks what belongs to no sequence.</summary>
        /// <param name="models">Those that are not freed.</param>
        public virtual void Check(Model<T>[] models)
        {
        }

        /// <summary>Whether a call must fail that appends.</summary>
        public virtual bool IsFull(int length, int tokens) => false;

        public abstract void Dispose();
    }

    /// <summary>A cache for each sequence.</summary>
    private abstract class Single<T, TCache>(Func<TCache> create, Func<Stream, TCache> load) : Subject<T>
        where T : unmanaged
        where TCache : AttentionCache
    {
        protected List<TCache> Caches { get; } = [];

        public override void Create() => Caches.Add(create());

        public override int LengthOf(int sequence, int layer) => Caches[sequence].LengthOf(layer);

        public override void Free(int sequence) => Caches[sequence].Dispose();

        public override void CheckFreed(int sequence)
        {
            Assert.Throws<ObjectDisposedException>(() => Append(sequence, Stored.Empty<T>(0, KeyDim), Stored.Empty<T>(0, ValueDim), 0));
            Assert.Throws<ObjectDisposedException>(() => Save(sequence));
            Assert.Throws<ObjectDisposedException>(() => Truncate(sequence, 0));
        }

        public override void Save(int sequence)
        {
            byte[] file = SavedCaches.Save(stream => Save(Caches[sequence], stream));
            var loaded = load(new MemoryStream(file));
            Caches[sequence].Dispose();
            Caches[sequence] = loaded;
            Assert.Equal(file, SavedCaches.Save(stream => Save(loaded, stream)));
        }

        public override void Dispose() => Caches.ForEach(cache => cache.Dispose());

        protected abstract void Save(TCache cache, Stream stream);
    }

    private sealed class WholeSubject<T>(int capacity)
        : Single<T, KeyValueCache<T>>(() => new(2, 32, 24, Layers, capacity), KeyValueCache<T>.Load)
        where T : unmanaged
    {
        private readonly CachedKernel<T> _kernel = s_whole.Of<T>(PagedCalls.Plain);

        public override bool IsFull(int length, int tokens) => capacity > 0 && length + tokens > capacity;

        public override void Append(int sequence, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

        public override void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

        public override void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output) => _kernel.Step(inputs.Query, inputs.Key, inputs.Value, Caches[sequences[0]], layer, 1, output);

        public override void Look(int sequence, float[] query, int layer, float[] output) => _kernel.Read(query, Caches[sequence], layer, 1, output);

        public override void Fork(int sequence) => Caches.Add(Caches[sequence].Clone());

        public override void Truncate(int sequence, int length) => Caches[sequence].Truncate(length);

        protected override void Save(KeyValueCache<T> cache, Stream stream) => cache.Save(stream);
    }

    private sealed class RingSubject<T>(int slack)
        : Single<T, RingKeyValueCache<T>>(() => RingCacheTests.Create<T>(RingCacheTests.First, slack, Layers), RingKeyValueCache<T>.Load)
        where T : unmanaged
    {
        private readonly (RingStep<T> Step, RingRead<T> Read) _kernel = RingCacheTests.Of<T>(RingCacheTests.First);

        public override Declaration Declaration => RingCacheTests.First;

        public override Range Retained(int sequence, int layer) => Caches[sequence].RetainedOf(layer);

        public override void Append(int sequence, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

        public override void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

        public override void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output) => _kernel.Step(inputs.Query, inputs.Key, inputs.Value, Caches[sequences[0]], layer, 1, output);

        public override void Look(int sequence, float[] query, int layer, float[] output) => _kernel.Read(query, Caches[sequence], layer, 1, output);

        public override void Fork(int sequence) => Caches.Add(Caches[sequence].Clone());

        public override void Truncate(int sequence, int length) => Caches[sequence].Truncate(length);

        protected override void Save(RingKeyValueCache<T> cache, Stream stream) => cache.Save(stream);
    }

    private sealed class PagedSubject<T>(int pageTokens) : Subject<T>
        where T : unmanaged
    {
        private readonly PagedKernel<T> _kernel = s_paged.Of<T>(PagedCalls.Plain);
        private readonly List<SequenceId> _ids = [];
        private PagedKeyValueCache<T> _cache = PagedCalls.Create<T>(PagedCalls.Plain, pageTokens, Pages, Layers);

        public override bool IsPaged => true;

        public override void Create() => _ids.Add(_cache.CreateSequence());

        public override int LengthOf(int sequence, int layer) => _cache.LengthOf(_ids[sequence], layer);

        public override void Append(int sequence, Rows<T> keys, Rows<T> values, int layer) => _cache.Append(_ids[sequence], keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

        public override void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer) => _cache.Read(_ids[sequence], first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

        public override void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output) =>
            _kernel.Step(inputs.Query, inputs.Key, inputs.Value, starts, _cache, [.. sequences.Select(sequence => _ids[sequence])], layer, 1, output);

        public override void Look(int sequence, float[] query, int layer, float[] output) => _kernel.Read(query, [0, query.Length / 128], _cache, [_ids[sequence]], layer, 1, output);

        public override void Fork(int sequence) => _ids.Add(_cache.Fork(_ids[sequence]));

        public override void Truncate(int sequence, int length) => _cache.Truncate(_ids[sequence], length);

        public override void Free(int sequence) => _cache.Free(_ids[sequence]);

        public override void Save(int sequence)
        {
            SequenceId[] saved = [];
            byte[] file = SavedCaches.Save(stream => saved = _cache.Save(stream));
            var loaded = PagedKeyValueCache<T>.Load(new MemoryStream(file));
            Assert.Equal((_cache.UsedPages, _cache.Pages, _cache.Sequences), (loaded.UsedPages, loaded.Pages, loaded.Sequences));
            var ids = loaded.GetSequences();
            for (int i = 0; i < saved.Length; i++) _ids[_ids.IndexOf(saved[i])] = ids[i];
            _cache.Dispose();
            _cache = loaded;
            Assert.Equal(file, SavedCaches.Save(stream => loaded.Save(stream)));
        }

        public override void CheckFreed(int sequence)
        {
            Assert.Throws<ArgumentException>(() => LengthOf(sequence, 0));
            Assert.Throws<ArgumentException>(() => Free(sequence));
        }

        public override void Check(Model<T>[] models)
        {
            Assert.Equal(models.Length, _cache.Sequences);
            Assert.InRange(_cache.UsedPages, 0, models.Sum(model => (model.Longest + pageTokens - 1) / pageTokens)); // less where pages are shared
        }

        /// <summary>No call needs more pages than those that it writes to.</summary>
        public void CheckFull(CacheFullException exception, params (int Length, int Tokens)[] appended)
        {
            Assert.Equal(_cache.FreePages, exception.FreePages);
            Assert.InRange(exception.NeededPages, exception.FreePages + 1, appended.Sum(one => (one.Length + one.Tokens + pageTokens - 1) / pageTokens - one.Length / pageTokens));
        }

        public override void Dispose() => _cache.Dispose();
    }

    private sealed class Machine<T>(Program program, Dictionary<string, int> seen)
        where T : unmanaged
    {
        private readonly List<Model<T>> _models = [];
        private int _seed;

        public void Run()
        {
            using var memory = new GuardedCacheMemory(); // NaN where no token is
            using (Subject<T> subject = program.Cache switch { Cache.Whole => new WholeSubject<T>(program.Size), Cache.Ring => new RingSubject<T>(program.Size), _ => new PagedSubject<T>(program.Size) })
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

        private void Run(Subject<T> subject, Operation step)
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

        private void Attend(Subject<T> subject, Operation step, Model<T> model)
        {
            bool two = subject.IsPaged && step.Other < _models.Count && step.Other != step.Sequence && !_models[step.Other].IsFreed;
            int[] sequences = two ? [step.Sequence, step.Other] : [step.Sequence], tokens = two ? [step.Tokens, 1] : [step.Tokens], starts = PagedCalls.Starts(tokens);
            Model<T>[] models = two ? [model, _models[step.Other]] : [model];
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

        private void Look(Subject<T> subject, Operation step, Model<T> model)
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

        private static void Truncate(Subject<T> subject, Operation step, Model<T> model)
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
        private static bool HasWindow(Subject<T> subject, int sequence, int layer, int position, int end)
        {
            int left = subject.Declaration.Window.Left, first = subject.Retained(sequence, layer).Start.Value;
            return left < 0 || Math.Min(first, end) <= Math.Max(subject.Declaration.FirstKeys, position - left);
        }

        /// <summary>Runs a step that appends, unless there is no room: then it must say so and change nothing.</summary>
        /// <returns>Whether it has appended.</returns>
        private bool Append(Subject<T> subject, Operation step, (Model<T> Model, int Tokens)[] appended, Action run)
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

        private void Check(Subject<T> subject)
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
