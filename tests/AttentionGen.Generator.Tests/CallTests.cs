using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Testing;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>
/// Calls whose cache cannot fit are found before the program runs, wherever the code leaves no doubt which cache it is, and nowhere else. <c>[|...|]</c> is the place of the error,
/// <c>{|#1:...|}</c> where the cache is created.
/// </summary>
public class CallTests
{
    private const string Kernels = $$"""
        using AttentionGen;
        using Cache = AttentionGen.KeyValueCache<float>;
        using Ring = AttentionGen.RingKeyValueCache<float>;
        using Paged = AttentionGen.PagedKeyValueCache<float>;
        public partial class Kernels
        {
            [Attention(4, 16, KeyValueHeads = 2, Isas = AttentionIsas.Portable)]
            public static partial void Step({{Sample.Tensors}}, Cache cache, int layer = 0);
            [Attention(4, 16, KeyValueHeads = 2, ValueDim = 8, Isas = AttentionIsas.Portable)]
            public static partial void Narrow(ReadOnlySpan<float> query, [Role(AttentionRole.Cache)] Cache past, Span<float> output);
            [Attention(4, 16, KeyValueHeads = 2, WindowLeft = 31, FirstKeys = 3, Isas = AttentionIsas.Portable)]
            public static partial void Window({{Sample.Tensors}}, Ring cache);
            [Attention(4, 16, KeyValueHeads = 2, Isas = AttentionIsas.Portable)]
            public static partial void Many({{Sample.Tensors}}, Paged cache, ReadOnlySpan<SequenceId> sequences, int layer);
            public static float[] T = [];
        }
        public static partial class Extensions
        {
            [Attention(4, 16, KeyValueHeads = 2, Isas = AttentionIsas.Portable)]
            public static partial void On(this Cache cache, {{Sample.Tensors}}, [Role(AttentionRole.Layer)] int of);
        }
        public static class Caches
        {
            public static readonly Cache Wrong = new(9, 9);
            public static Cache AlsoWrong { get; } = new(9, 9);
        }
        """;

    /// <summary>Compiled once. Other tests have kernels in the project that calls them.</summary>
    private static readonly Lazy<MetadataReference> s_library = new(() => MetadataReference.CreateFromStream(Library().AssertCompiles()));

    [Theory]
    [InlineData("void M() => Step(T, T, T, T, [|{|#1:new Cache(4, 16)|}|]);")]
    [InlineData("void M() => Step(T, T, T, T, [|cache: {|#1:new(headDim: 16, keyValueHeads: 1)|}|]);")]
    [InlineData("void M() { Cache cache; cache = {|#1:new(2, 12)|}; Step(T, T, T, T, [|cache|]); }")]
    [InlineData("void M(bool first) { Cache cache; if (first) return; else cache = {|#1:new(2, 12)|}; Step(T, T, T, T, [|cache|]); }")]
    [InlineData("void M() { using (var cache = {|#1:new Cache(2, 12)|}) Step(T, T, T, T, [|cache|]); }")]
    [InlineData("void M() { AttentionCache any = {|#1:new Cache(3, 16)|}; var cache = (Cache)any; Step(T, T, T, T, [|cache|]); }")]
    [InlineData("void M() { var cache = {|#1:new Cache(3, 16)|}; Action call = () => Step(T, T, T, T, [|cache|]); call(); }")]
    [InlineData("void M() { var cache = {|#1:new Cache(3, 16)|}; Inner(); void Inner() => Step(T, T, T, T, [|cache|]); }")]
    [InlineData("void M() { var cache = {|#1:new Cache(3, 16)|}; cache.Truncate(0); Use(cache, cache.Length, nameof(cache)); Other = cache; var copy = cache; cache?.Dispose(); if (copy == null) return; Step(T, T, T, T, [|cache|]); } void Use(Cache cache, int length, string name) { } Cache? Other;")]
    [InlineData("void M() { for (int layer = 0; layer < 3; layer++) { var cache = {|#1:new Cache(3, 16)|}; Step(T, T, T, T, [|cache|], layer); } }")]
    [InlineData("const int Dim = 3 * 8; void M() => Step(T, T, T, T, [|{|#1:new(2, Dim / 2)|}|]);")]
    [InlineData("void M(int heads) => Step(T, T, T, T, [|{|#1:new(heads, 8)|}|]);")]
    [InlineData("void M(int dim) => Step(T, T, T, T, [|{|#1:new(4, dim)|}|]);")]
    [InlineData("void M() => Narrow(T, [|{|#1:new(2, 16)|}|], T);")]
    [InlineData("void M() => Step(T, T, T, T, [|{|#1:new(2, 16, valueDim: 8)|}|]);")]
    [InlineData("readonly Cache _cache = {|#1:new(2, 8)|}; void M() => Step(T, T, T, T, [|_cache|]);")]
    [InlineData("static readonly Cache s_cache = {|#1:new(2, 8)|}; void M() { var cache = s_cache; Step(T, T, T, T, [|cache|]); }")]
    [InlineData("readonly Cache _cache; K(int layers) => _cache = {|#1:new(2, 8, layers: layers)|}; void M(K other) => Step(T, T, T, T, [|other._cache|]);")]
    [InlineData("readonly Cache _cache; K() : this(1) { } K(int layers) { this._cache = {|#1:new(2, 8, layers: layers)|}; _cache.Dispose(); } void M() => Step(T, T, T, T, [|_cache|]);")]
    [InlineData("static readonly Cache s_cache; static K() { s_cache = {|#1:new(2, 8)|}; } void M() => Step(T, T, T, T, [|s_cache|]);")]
    [InlineData("Cache Shared { get; } = {|#1:new(2, 8)|}; void M() => Step(T, T, T, T, [|Shared|]);")]
    [InlineData("static Cache Shared { get; } static K() { Shared = {|#1:new(2, 8)|}; } void M() => Step(T, T, T, T, [|K.Shared|]);")]
    [InlineData("void M() => Window(T, T, T, T, [|{|#1:new(2, 16, 32, 8, firstKeys: 3)|}|]);")]
    [InlineData("void M() => Window(T, T, T, T, [|{|#1:new(2, 16, 31, 8)|}|]);")]
    [InlineData("void M(SequenceId[] ids) => Many(T, T, T, T, [|{|#1:new(2, 8, pages: 4)|}|], ids, 0);")]
    [InlineData("void M(SequenceId[] ids) => Many(T, T, T, T, {|#1:new(2, 16, pages: 4, layers: 2)|}, ids, [|2|]);")]
    [InlineData("void M() => [|{|#1:new Cache(3, 16)|}|].On(T, T, T, T, 0);")]
    [InlineData("void M() => {|#1:new Cache(2, 16)|}.On(T, T, T, T, [|1|]);")]
    [InlineData("void M() { var cache = {|#1:new Cache(2, 16)|}; Step(T, T, T, T, cache, [|layer: 1 * 1|]); }")]
    [InlineData("void M() { var cache = {|#1:new Cache(2, 16, layers: 4)|}; Step(T, T, T, T, cache, [|-2|]); }")]
    public Task A_cache_that_cannot_fit_is_an_error(string members) => Build(members, new DiagnosticResult(Rules.UnfitCall.Id, DiagnosticSeverity.Error).WithLocation(0).WithLocation(1));

    [Theory]
    [InlineData("void M() => Step(T, T, T, T, new(2, 16));")]
    [InlineData("void M() => Step(T, T, T, T, new(2, 16, valueDim: 16, layers: 3, capacity: 9), 2);")]
    [InlineData("void M() => Narrow(T, new(2, 16, 8), T);")]
    [InlineData("void M() => Window(T, T, T, T, new(2, 16, 31, slack: 1, firstKeys: 3));")]
    [InlineData("void M(int n) => Window(T, T, T, T, new(n, n, n, n, n, n, n));")]
    [InlineData("void M(int layer) => Step(T, T, T, T, new(2, 16), layer);")]
    [InlineData("void M(int layers) => Step(T, T, T, T, new(2, 16, layers: layers), 7);")]
    [InlineData("void M(Cache cache) => Step(T, T, T, T, cache, 7);")]
    [InlineData("void M(Cache cache) { cache = new(9, 9); Step(T, T, T, T, cache); }")]
    [InlineData("void M(bool first) { Cache cache = new(9, 9); if (first) cache = new(2, 16); Step(T, T, T, T, cache); }")]
    [InlineData("void M(bool first) { Cache cache; if (first) cache = new(9, 9); else cache = new(2, 16); Step(T, T, T, T, cache); }")]
    [InlineData("void M(bool first) { Cache cache = first ? new(9, 9) : new(2, 16); Step(T, T, T, T, cache); }")]
    [InlineData("void M(Cache? other) { Cache cache = other ?? new(9, 9); Step(T, T, T, T, cache); }")]
    [InlineData("void M() { Cache? cache = null; cache ??= new(9, 9); Step(T, T, T, T, cache); }")]
    [InlineData("void M() { Cache cache = new(9, 9); Action change = () => cache = new(2, 16); change(); Step(T, T, T, T, cache); }")]
    [InlineData("void M() { Cache cache = new(9, 9); Change(); Step(T, T, T, T, cache); void Change() { cache = new(2, 16); } }")]
    [InlineData("void M() { Cache cache = new(9, 9); Change(ref cache); Step(T, T, T, T, cache); } void Change(ref Cache cache) => cache = new(2, 16);")]
    [InlineData("void M() { Cache cache = new(9, 9); Make(out cache); Step(T, T, T, T, cache); } void Make(out Cache cache) => cache = new(2, 16);")]
    [InlineData("void M() { Make(out var cache); Step(T, T, T, T, cache); } void Make(out Cache cache) => cache = new(9, 9);")]
    [InlineData("void M() { Cache cache = new(9, 9); ref Cache same = ref cache; same = new(2, 16); Step(T, T, T, T, cache); }")]
    [InlineData("void M() { Cache cache = new(9, 9), other = new(2, 16); ref Cache same = ref cache; same = ref other; Step(T, T, T, T, same); }")]
    [InlineData("void M() { Cache cache = new(9, 9), other = new(2, 16); (cache, other) = (other, cache); Step(T, T, T, T, cache); }")]
    [InlineData("void M() { var (cache, other) = (new Cache(9, 9), 1); Step(T, T, T, T, cache); }")]
    [InlineData("void M() { foreach (var cache in new Cache[] { new(9, 9) }) Step(T, T, T, T, cache); }")]
    [InlineData("void M(object any) { if (any is Cache cache) Step(T, T, T, T, cache); }")]
    [InlineData("unsafe void M() { Cache cache = new(9, 9); fixed (int* p = new int[1]) { } System.Runtime.CompilerServices.Unsafe.AsRef(in cache) = new(2, 16); Step(T, T, T, T, cache); }")]
    [InlineData("Cache _cache = new(9, 9); void M() => Step(T, T, T, T, _cache);")]
    [InlineData("readonly Cache _cache = new(9, 9); K() => _cache = new(2, 16); void M() => Step(T, T, T, T, _cache);")]
    [InlineData("readonly Cache _cache; K() => _cache = new(9, 9); K(int n) => _cache = new(n, n); void M() => Step(T, T, T, T, _cache);")]
    [InlineData("readonly Cache _cache = new(9, 9); K() => Make(out _cache); void Make(out Cache cache) => cache = new(2, 16); void M() => Step(T, T, T, T, _cache);")]
    [InlineData("readonly Cache _cache = new(9, 9); Cache Given { get => _cache; init => _cache = value; } void M() => Step(T, T, T, T, _cache);")]
    [InlineData("readonly Cache _cache; K(Cache cache) => _cache = cache; void M() => Step(T, T, T, T, _cache);")]
    [InlineData("Cache Shared { get; set; } = new(9, 9); void M() => Step(T, T, T, T, Shared);")]
    [InlineData("Cache Shared { get; init; } = new(9, 9); void M() => Step(T, T, T, T, Shared);")]
    [InlineData("Cache Shared { get; } = new(9, 9); K() => Shared = new(2, 16); void M() => Step(T, T, T, T, Shared);")]
    [InlineData("public virtual Cache Shared { get; } = new(9, 9); void M() => Step(T, T, T, T, Shared);")]
    [InlineData("int _calls; Cache Shared { get => _calls++ > 0 ? field : new(2, 16); } = new(9, 9); void M() => Step(T, T, T, T, Shared);")]
    [InlineData("static readonly Cache? s_a = s_b, s_b = s_a; void M() => Step(T, T, T, T, s_a);")]
    [InlineData("static Cache Load() => new(9, 9); void M() { var cache = Load(); Step(T, T, T, T, cache); }")]
    [InlineData("void Step(Cache cache, int layer) { } void M() { Step(new Cache(9, 9), -1); On(new Cache(9, 9), -1); } void On(Cache cache, int layer) { }")]
    [InlineData("void M() { var call = Extensions.On; call(new(9, 9), T, T, T, T, -1); } delegate void Call(Cache cache); void N() { Call c = cache => { }; c(new(9, 9)); }")]
    public async Task What_may_fit_is_none(string members) => await Build(members);

    /// <summary>A declaration in error has that error only.</summary>
    [Fact]
    public Task A_kernel_in_error_is_not_compared() => new BuildTest(new Project($$"""
        using AttentionGen;
        partial class Wrong
        {
            [Attention(4, {|AG0009:0|})] static partial void Step({{Sample.Tensors}}, KeyValueCache<float> cache);
            static void M(float[] t) => Step(t, t, t, t, new(9, 9));
        }
        """)).RunAsync();

    [Fact]
    public async Task Types_that_differ_are_left_to_the_compiler() => await Build("void M() => Step(T, T, T, T, {|CS1503:new KeyValueCache<Half>(9, 9)|}, -1);");

    /// <summary>A kernel of a library, in its metadata and as the source that an editor has; caches of the library are known in none of them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kernel_of_another_project_is_compared(bool isSource)
    {
        var reference = isSource ? Library().Output.ToMetadataReference() : s_library.Value;
        var project = new Project("""
            class User
            {
                static readonly AttentionGen.KeyValueCache<float> s_cache = new(2, 8);
                static void M(float[] t) { Kernels.Step(t, t, t, t, s_cache); Kernels.Step(t, t, t, t, Caches.Wrong); Kernels.Step(t, t, t, t, Caches.AlsoWrong); }
            }
            """) { Name = "User", References = [reference] };
        var error = Assert.Single(await project.Generate().BuildAsync());
        Assert.Equal(("AG0071", "s_cache"), (error.Id, error.Location.SourceTree!.GetText(TestContext.Current.CancellationToken).ToString(error.Location.SourceSpan)));
        Assert.Equal("User0.cs", Assert.Single(error.AdditionalLocations).SourceTree!.FilePath);
    }

    /// <summary>A field may be assigned in another file than the one that declares or uses it.</summary>
    [Fact]
    public async Task All_parts_of_a_type_count()
    {
        const string Field = "partial class K : Kernels { readonly KeyValueCache<float> _cache; }", Use = "partial class K { void M() => Step(T, T, T, T, _cache); }";
        async Task<int> ErrorsWith(string constructors) =>
            (await new Project(Kernels, "using AttentionGen;" + Field, Use, constructors) { NoWarn = ["CS1591"] }.Generate().BuildAsync()).Count(d => d.Id == "AG0071");
        Assert.Equal(1, await ErrorsWith("partial class K { K() => _cache = new(9, 9); }"));
        Assert.Equal(0, await ErrorsWith("partial class K { K() => _cache = new(9, 9); K(int n) => _cache = new(2, 16); }"));
        Assert.Equal(0, await ErrorsWith("partial class K { partial K(); partial K() => _cache = new(2, 16); K(int n) => _cache = new(9, 9); }"));
    }

    /// <summary>The call throws where it is turned off, so nothing goes on in silence; a test of that exception needs it.</summary>
    [Fact]
    public async Task It_can_be_turned_off_where_the_exception_is_wanted() => await Build("""
        void M()
        {
        #pragma warning disable AG0071
            Step(T, T, T, T, new(9, 9));
        #pragma warning restore AG0071
        }
        """);

    private static Generation Library() => new Project(Kernels) { Name = "Library", NoWarn = ["CS1591"] }.Generate();

    private static Task Build(string members, params DiagnosticResult[] expected) => new BuildTest(new Project($$"""
        using AttentionGen;
        using Cache = AttentionGen.KeyValueCache<float>;
        partial class K : Kernels
        {
        {{members}}
        }
        """) { AllowUnsafe = true, NoWarn = ["CS0169", "CS0649", "CS8618", "CS8602", "CS8604"], References = [s_library.Value] }, expected).RunAsync();
}
