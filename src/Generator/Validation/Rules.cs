using AttentionGen.Generator.Model;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Validation;

/// <summary>The diagnostics. An id is never reused. Each diagnostic has a page in docs/diagnostics and a row in the release file.</summary>
internal static class Rules
{
    private const string Category = "AttentionGen";
    private const string HelpLink = "https://github.com/attentiongen/AttentionGen/blob/main/docs/diagnostics/";

    public static readonly DiagnosticDescriptor NotPartial = Error("AG0001", "The method is not partial",
        "'{0}' must be a partial method without a body, so that its kernel can be generated: write '{1}'");

    public static readonly DiagnosticDescriptor HasBody = Error("AG0002", "The method has a body",
        "'{0}' has a body already, and the kernel is to be its body: leave only '{1}', or take the [Attention] attribute off");

    public static readonly DiagnosticDescriptor ReturnsValue = Error("AG0003", "The method returns a value",
        "'{0}' returns '{1}', a kernel returns void: its results go to the parameter 'Span<float> output'");

    public static readonly DiagnosticDescriptor GenericMethod = Error("AG0004", "The method is generic",
        "'{0}' is generic, a kernel is generated for one shape and float elements: take the type parameters off");

    public static readonly DiagnosticDescriptor TypeNotPartial = Error("AG0005", "The containing type is not partial",
        "The type '{0}' that contains '{1}' must be partial, so that the kernel can be added to it: write 'partial {2}'");

    public static readonly DiagnosticDescriptor GenericType = Error("AG0006", "The containing type is generic",
        "The type '{0}' that contains '{1}' is generic: declare the kernel in a type that is not");

    public static readonly DiagnosticDescriptor FileLocalType = Error("AG0007", "The containing type is file-local",
        "The type '{0}' that contains '{1}' is file-local and cannot be added to from a generated file: make it internal");

    public static readonly DiagnosticDescriptor Interface = Error("AG0008", "The containing type is an interface",
        "'{1}' stands in the interface '{0}': declare the kernel in a class or a struct");

    public static readonly DiagnosticDescriptor OutOfRange = Error("AG0009", "A number is out of range",
        "{0} is {1}, it must be from {2} to {3}{4}");

    public static readonly DiagnosticDescriptor UnevenGroups = Error("AG0010", "Heads do not share key-value heads evenly",
        "{0} heads cannot share {1} key-value heads evenly: KeyValueHeads must divide heads, use {2}");

    public static readonly DiagnosticDescriptor BadScale = Error("AG0011", "The scale is not a factor",
        "Scale is {0}, it must be a number other than 0 and at most {1} in magnitude; leave it out for 1 / sqrt(headDim) = {2}");

    public static readonly DiagnosticDescriptor UnknownMask = Error("AG0012", "The mask is unknown",
        "Mask is {0}, which is no AttentionMask: use None or Causal");

    public static readonly DiagnosticDescriptor MissingParameter = Error("AG0013", "A parameter is missing",
        "'{0}' has no parameter for {1}: add '{2}', or mark the parameter that it is with its role, as [Role(AttentionRole.{3})]");

    public static readonly DiagnosticDescriptor DuplicateParameter = Error("AG0014", "Two parameters have the same role",
        "'{0}' and '{1}' both say {2}: keep one of them");

    public static readonly DiagnosticDescriptor UnknownParameter = Error("AG0015", "A parameter has no role",
        "'{0}' is no parameter of a kernel: {1}");

    public static readonly DiagnosticDescriptor WrongParameterType = Error("AG0016", "A parameter has the wrong type",
        "'{0}' is '{1}', but the parameter {2} of a kernel is {3}: change its type");

    public static readonly DiagnosticDescriptor MaskParameterWithoutMask = Error("AG0017", "A parameter has no effect without its mask",
        "'{0}' gives positions, but no mask looks at them: set Mask = AttentionMask.Causal or a window, or take the parameter out");

    public static readonly DiagnosticDescriptor BatchWithoutBatched = Error("AG0018", "A batch that is not declared",
        "'{0}' is the number of batch items, but the kernel has no batch: set Batched = true, or take the parameter out");

    public static readonly DiagnosticDescriptor NotAMethod = Error("AG0019", "The attribute stands on something else than a method",
        "[Attention] stands on {0}, which cannot be generated: put it on a partial method of a class or a struct");

    public static readonly DiagnosticDescriptor UnknownIsas = Error("AG0020", "The instruction set is unknown",
        "Isas holds {0}, which is no AttentionIsas: combine Portable, Avx2, Avx512 and Neon, or leave it out for all of them");

    public static readonly DiagnosticDescriptor UnknownLayout = Error("AG0021", "The layout is unknown",
        "Layout is {0}, which is no AttentionLayout: use TokenMajor or HeadMajor");

    public static readonly DiagnosticDescriptor NarrowStride = Error("AG0022", "A stride is narrower than a token",
        "{0} is {1}, but a token of the {2} has {3}: use {4} or more, or leave it out");

    public static readonly DiagnosticDescriptor StrideOfTensorSpan = Error("AG0023", "A stride has no effect on a tensor span",
        "{0} has no effect, as '{1}' is a '{2}' and brings its own strides: leave it out, or change the type of '{1}' to '{3}'");

    public static readonly DiagnosticDescriptor BadSoftCap = Error("AG0024", "The soft cap is not a magnitude",
        "SoftCap is {0}, {1}: use one as models have it, as 50f, or leave it out for none");

    public static readonly DiagnosticDescriptor BadAxes = Error("AG0025", "The axes of a bias or a mask do not fit",
        "{0} is {1}, {2}: use {3}");

    public static readonly DiagnosticDescriptor AxesWithoutParameter = Error("AG0026", "Axes of a parameter that is not there",
        "{0} has no effect, as there is no parameter {1}: add '{2}', or leave it out");

    public static readonly DiagnosticDescriptor SlopesTwice = Error("AG0027", "Slopes are given twice",
        "Alibi = true stands for the standard slopes, and '{0}' gives others: keep one of them");

    public static readonly DiagnosticDescriptor CannotLift = Error("AG0028", "A mask or a score cannot become vector code",
        "'{0}' cannot become vector code: {1}");

    public static readonly DiagnosticDescriptor BucketsWithoutParameter = Error("AG0029", "Buckets of a bias that is not there",
        "{0} = {1} has no effect, as there is no parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or leave it out");

    public static readonly DiagnosticDescriptor RelativeBiasWithoutBuckets = Error("AG0030", "A bias of relative positions without buckets",
        "'{0}' has a bias for each bucket of distances, but nothing says how many these are: set RelativeBuckets, as 32 for T5, or take the parameter out");

    public static readonly DiagnosticDescriptor BadBuckets = Error("AG0031", "The buckets of relative positions do not fit",
        "{0}: {1}");

    public static readonly DiagnosticDescriptor ScaleTwice = Error("AG0032", "The scale is given twice",
        "Scale = {0} is the factor of all heads, and '{1}' has one for each: keep one of them");

    public static readonly DiagnosticDescriptor UnknownStage = Error("AG0035", "The stage of the scores is unknown",
        "ScoresStage is {0}, which is no AttentionStage: use Scaled, Capped, Masked or Weights");

    public static readonly DiagnosticDescriptor StageWithoutScores = Error("AG0036", "A stage of scores that are not asked for",
        "ScoresStage has no effect, as there is no parameter scores: add '{0}', or leave it out");

    public static readonly DiagnosticDescriptor UnknownNorm = Error("AG0037", "The norm of queries and keys is unknown",
        "QueryKeyNorm is {0}, which is no AttentionNorm: use None, Rms or L2");

    public static readonly DiagnosticDescriptor NormWithoutEffect = Error("AG0038", "Something of a norm that is not there",
        "'{0}' has no effect, as queries and keys are not normalised: set QueryKeyNorm = AttentionNorm.Rms or L2, or leave it out");

    public static readonly DiagnosticDescriptor BadNormEpsilon = Error("AG0039", "The epsilon of a norm does not fit",
        "NormEpsilon is {0}, it must be a finite number of at least 1.2E-38: use one as models have it, or leave it out for {1}");

    public static readonly DiagnosticDescriptor PrefixWithoutCausal = Error("AG0041", "A prefix without a causal mask",
        "{0} widens a causal mask, and there is none: add Mask = AttentionMask.Causal, or leave it out");

    public static readonly DiagnosticDescriptor PrefixTwice = Error("AG0042", "The length of the prefix is given twice",
        "PrefixLength = {0} and the parameter '{1}' both say how long the prefix is: keep one of them");

    public static readonly DiagnosticDescriptor DocumentsInBatch = Error("AG0043", "Documents in a batch",
        "'{0}' packs documents one after the other, each of them what a batch item is otherwise: leave Batched = true out, or '{0}'");

    public static readonly DiagnosticDescriptor KeyDocumentsAlone = Error("AG0044", "Documents of keys without those of queries",
        "'{0}' says where documents begin among the keys, and nothing says it of the queries: add 'ReadOnlySpan<int> documentStarts'");

    public static readonly DiagnosticDescriptor IncompleteBlocks = Error("AG0045", "A block-sparse mask is not complete",
        "A block-sparse mask has QueryBlockSize, KeyBlockSize and the parameters 'ReadOnlySpan<int> keyBlockStarts' and 'ReadOnlySpan<int> keyBlocks', but {0} {1} missing: add {2}, or leave the others out");

    public static readonly DiagnosticDescriptor BadKeyBlockSize = Error("AG0046", "A block of keys is no multiple of 32",
        "KeyBlockSize is {0}, it must be a multiple of 32, so that vectors of keys end with it: use {1}");

    public static readonly DiagnosticDescriptor BlocksWithCuts = Error("AG0047", "Lists of blocks beside another cut",
        "{0} cannot stand beside lists of blocks: {1}");

    public static readonly DiagnosticDescriptor OtherGenerator = Error("AG0048", "Another generator writes the body",
        "'{0}' gets its body from [{1}], and a method has one: take one of the two attributes off");

    public static readonly DiagnosticDescriptor UnknownRole = Error("AG0049", "The role is unknown",
        "'{0}' is marked with role {1}, which is no AttentionRole: {2}");

    public static readonly DiagnosticDescriptor UselessDefault = Error("AG0050", "A default value that no call can have",
        "'{0}' is {1} where it is left out, and each call with it throws: {2}");

    public static readonly DiagnosticDescriptor OldLanguage = Error("AG0060", "The version of C# is too old",
        "The project is compiled as C# {0}, and the kernel of '{1}' is written in C# 12: take LangVersion out of the project file, or set it to 12 or higher");

    public static readonly DiagnosticDescriptor PaddedPrefill = new("AG0101", "Where does the first query of a padded batch stand?",
        "Without a start, the last query of each batch item stands at its last visible key, so that in a padded prefill (as many queries as keys) the first rows stand before the first key: "
        + "add 'int queryStart' and give 0 for a prefill, set QueryLength = 1 for decoding, or suppress this where every query follows the keys",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0101.md");

    // Reported once for a project, at its first kernel. Only the complete compilation tells which kernel is the first.
    public static readonly DiagnosticDescriptor DebugBuild = new("AG0102", "Kernels are slow in an unoptimised build",
        "This build is not optimised, which makes {0} 10 to 24 times slower: build with -c Release, or set <Optimize>true</Optimize> in the project that declares kernels",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0102.md", customTags: WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor MoreQueriesThanKeys = new("AG0103", "The first queries see no key",
        "With {0} and no start, the last query stands at the last key and none is left for the first {1}, whose output is 0: "
        + "add 'int queryStart' and give 0 where the first query stands at the first key, or suppress this where zeros are meant",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0103.md");

    public static readonly DiagnosticDescriptor WindowWithoutEffect = new("AG0104", "A window hides nothing",
        "{0} = {1} hides no key, as {2}: {3}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0104.md");

    public static readonly DiagnosticDescriptor HidesEverything = new("AG0105", "A mask hides every key",
        "No query sees a key, as {0}: every output is 0",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0105.md");

    public static IReadOnlyList<DiagnosticDescriptor> All { get; } =
    [
        NotPartial, HasBody, ReturnsValue, GenericMethod, TypeNotPartial, GenericType, FileLocalType, Interface, OutOfRange, UnevenGroups, BadScale,
        UnknownMask, MissingParameter, DuplicateParameter, UnknownParameter, WrongParameterType, MaskParameterWithoutMask, BatchWithoutBatched,
        NotAMethod, UnknownIsas, UnknownLayout, NarrowStride, StrideOfTensorSpan, BadSoftCap, BadAxes, AxesWithoutParameter, SlopesTwice, CannotLift,
        BucketsWithoutParameter, RelativeBiasWithoutBuckets,
        BadBuckets, ScaleTwice, UnknownStage, StageWithoutScores, UnknownNorm, NormWithoutEffect, BadNormEpsilon,
        PrefixWithoutCausal, PrefixTwice, DocumentsInBatch, KeyDocumentsAlone, IncompleteBlocks, BadKeyBlockSize, BlocksWithCuts,
        OtherGenerator, UnknownRole, UselessDefault,
        OldLanguage,
        PaddedPrefill, DebugBuild, MoreQueriesThanKeys, WindowWithoutEffect, HidesEverything,
    ];

    // Errors are not configurable: if a project turned one off, the build would succeed without the kernel.
    private static DiagnosticDescriptor Error(string id, string title, string message) =>
        new(id, title, message, Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: HelpLink + id + ".md",
            customTags: WellKnownDiagnosticTags.NotConfigurable);
}
