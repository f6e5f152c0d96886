using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Validation;

/// <summary>The diagnostics. An id is never reused. Each diagnostic has a page in docs/diagnostics and a row in the release file.</summary>
internal static class Rules
{
    private const string Category = "AttentionGen";
    private const string HelpLink = "https://github.com/attentiongen/AttentionGen/blob/main/docs/diagnostics/";

    public static readonly DiagnosticDescriptor NotPartial = Error("AG0001", "The method is not partial",
        "'{0}' must be a partial method without a body: declare it as '{1}'");

    public static readonly DiagnosticDescriptor HasBody = Error("AG0002", "The method has a body",
        "'{0}' already has a body, but the generator writes the body of a kernel: keep only '{1}', or remove [Attention]");

    public static readonly DiagnosticDescriptor ReturnsValue = Error("AG0003", "The method returns a value",
        "'{0}' returns '{1}', but a kernel returns void: use void and the parameter 'Span<float> output'");

    public static readonly DiagnosticDescriptor GenericMethod = Error("AG0004", "The method is generic",
        "'{0}' is generic, but a kernel is generated for one shape and one element type: remove the type parameters");

    public static readonly DiagnosticDescriptor TypeNotPartial = Error("AG0005", "The containing type is not partial",
        "The type '{0}' contains the kernel '{1}' and must be partial: use 'partial {2}'");

    public static readonly DiagnosticDescriptor GenericType = Error("AG0006", "The containing type is generic",
        "The type '{0}' contains the kernel '{1}' and must not be generic: declare the kernel in a type without type parameters");

    public static readonly DiagnosticDescriptor FileLocalType = Error("AG0007", "The containing type is file-local",
        "The type '{0}' contains the kernel '{1}' and must not be file-local, because the kernel is in another file: make it internal");

    public static readonly DiagnosticDescriptor Interface = Error("AG0008", "The containing type is an interface",
        "'{1}' is a member of the interface '{0}': declare the kernel in a class or a struct");

    public static readonly DiagnosticDescriptor OutOfRange = Error("AG0009", "A number is out of range",
        "{0} is {1}, but must be from {2} to {3}{4}");

    public static readonly DiagnosticDescriptor UnevenGroups = Error("AG0010", "Heads do not share key-value heads evenly",
        "heads is {0} and KeyValueHeads is {1}, but KeyValueHeads must divide heads: use {2}");

    public static readonly DiagnosticDescriptor BadScale = Error("AG0011", "The scale is out of range",
        "Scale is {0}, but must be a number other than 0 and at most {1} in magnitude: remove it for {2}");

    public static readonly DiagnosticDescriptor UnknownMask = Error("AG0012", "The mask is unknown",
        "Mask is {0}, which is not an AttentionMask: use {1}");

    public static readonly DiagnosticDescriptor MissingParameter = Error("AG0013", "A parameter is missing",
        "'{0}' has no parameter for {1}: add '{2}', or mark an existing parameter with its role, such as [Role(AttentionRole.{3})]");

    public static readonly DiagnosticDescriptor DuplicateParameter = Error("AG0014", "Two parameters have the same role",
        "'{0}' and '{1}' both {2}: remove one of them");

    public static readonly DiagnosticDescriptor UnknownParameter = Error("AG0015", "A parameter has no role",
        "'{0}' has no role in a kernel: {1}");

    public static readonly DiagnosticDescriptor WrongParameterType = Error("AG0016", "A parameter has the wrong type",
        "'{0}' is '{1}', but the role {2} needs {3}: change its type");

    public static readonly DiagnosticDescriptor MaskParameterWithoutMask = Error("AG0017", "A parameter has no effect without a mask",
        "'{0}' gives positions, but no mask uses them: set Mask = AttentionMask.Causal or a window, or remove the parameter");

    public static readonly DiagnosticDescriptor BatchWithoutBatched = Error("AG0018", "The batch is not declared",
        "'{0}' is the number of batch items, but the kernel has no batch: set Batched = true, or remove the parameter");

    public static readonly DiagnosticDescriptor NotAMethod = Error("AG0019", "The attribute is not on an ordinary method",
        "[Attention] is on {0}, which cannot be a kernel: use it on a partial method of a class or a struct");

    public static readonly DiagnosticDescriptor UnknownIsas = Error("AG0020", "The instruction set is unknown",
        "Isas contains {0}, which is not an AttentionIsas: use a combination of Portable, Avx2, Avx512 and Neon, or remove it for all of them");

    public static readonly DiagnosticDescriptor UnknownLayout = Error("AG0021", "The layout is unknown",
        "Layout is {0}, which is not an AttentionLayout: use TokenMajor or HeadMajor");

    public static readonly DiagnosticDescriptor NarrowStride = Error("AG0022", "A stride is narrower than a token",
        "{0} is {1}, but a token of the {2} has {3}: use {4} or more, or remove {0}");

    public static readonly DiagnosticDescriptor StrideOfTensorSpan = Error("AG0023", "A stride has no effect on a tensor span",
        "{0} has no effect, because '{1}' is a '{2}' with its own strides: remove {0}, or change the type of '{1}' to '{3}'");

    public static readonly DiagnosticDescriptor BadSoftCap = Error("AG0024", "The soft cap is out of range",
        "SoftCap is {0}, {1}: use the value of the model, such as 50f, or remove it for no cap");

    public static readonly DiagnosticDescriptor BadAxes = Error("AG0025", "The axes of a parameter are invalid",
        "{0} is {1}, {2}: use {3}");

    public static readonly DiagnosticDescriptor AxesWithoutParameter = Error("AG0026", "Axes are given without their parameter",
        "{0} has no effect without the parameter {1}: add '{2}', or remove {0}");

    public static readonly DiagnosticDescriptor SlopesTwice = Error("AG0027", "Alibi and slopes exclude each other",
        "Alibi = true uses the standard slopes, and '{0}' passes others: remove one of them");

    public static readonly DiagnosticDescriptor CannotLift = Error("AG0028", "A mask or a score cannot become vector code",
        "'{0}' cannot become vector code: {1}");

    public static readonly DiagnosticDescriptor BucketsWithoutParameter = Error("AG0029", "Buckets are given without a relative bias",
        "{0} = {1} has no effect without the parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or remove {0}");

    public static readonly DiagnosticDescriptor RelativeBiasWithoutBuckets = Error("AG0030", "A relative bias has no buckets",
        "'{0}' has one bias for each bucket of distances, but their number is not given: set RelativeBuckets, such as 32 for T5, or remove the parameter");

    public static readonly DiagnosticDescriptor BadBuckets = Error("AG0031", "The buckets of the relative bias are invalid",
        "{0}: {1}");

    public static readonly DiagnosticDescriptor ScaleTwice = Error("AG0032", "Scale and scales exclude each other",
        "Scale = {0} is the factor of all heads, and '{1}' has a factor for each head: remove one of them");

    public static readonly DiagnosticDescriptor UnknownStage = Error("AG0035", "The stage of the scores is unknown",
        "ScoresStage is {0}, which is not an AttentionStage: use Scaled, Capped, Masked or Weights");

    public static readonly DiagnosticDescriptor StageWithoutScores = Error("AG0036", "A stage is given without a scores parameter",
        "ScoresStage has no effect without the parameter scores: add '{0}', or remove ScoresStage");

    public static readonly DiagnosticDescriptor UnknownNorm = Error("AG0037", "The norm of queries and keys is unknown",
        "QueryKeyNorm is {0}, which is not an AttentionNorm: use None, Rms or L2");

    public static readonly DiagnosticDescriptor NormWithoutEffect = Error("AG0038", "A norm setting is given without a norm",
        "'{0}' has no effect, because queries and keys are not normalised: set QueryKeyNorm to Rms or L2, or remove '{0}'");

    public static readonly DiagnosticDescriptor BadNormEpsilon = Error("AG0039", "The epsilon of the norm is out of range",
        "NormEpsilon is {0}, but must be finite and at least 1.2E-38: use the value of the model, or remove it for {1}");

    public static readonly DiagnosticDescriptor PrefixWithoutCausal = Error("AG0041", "A prefix needs a causal mask",
        "{0} widens a causal mask, but the mask is not causal: set Mask = AttentionMask.Causal, or remove {0}");

    public static readonly DiagnosticDescriptor PrefixTwice = Error("AG0042", "PrefixLength and a prefix parameter exclude each other",
        "PrefixLength = {0} and the parameter '{1}' both give the length of the prefix: remove one of them");

    public static readonly DiagnosticDescriptor DocumentsInBatch = Error("AG0043", "Documents and a batch exclude each other",
        "'{0}' packs documents instead of a batch: remove Batched = true or '{0}'");

    public static readonly DiagnosticDescriptor KeyDocumentsAlone = Error("AG0044", "Documents of keys need documents of queries",
        "'{0}' gives the documents of the keys, but nothing gives those of the queries: add 'ReadOnlySpan<int> documentStarts'");

    public static readonly DiagnosticDescriptor IncompleteBlocks = Error("AG0045", "A block-sparse mask is incomplete",
        "A block-sparse mask needs QueryBlockSize, KeyBlockSize, 'ReadOnlySpan<int> keyBlockStarts' and 'ReadOnlySpan<int> keyBlocks', "
        + "but {0} {1} missing: add {2}, or remove the others");

    public static readonly DiagnosticDescriptor BadKeyBlockSize = Error("AG0046", "The key block size is not a multiple of 32",
        "KeyBlockSize is {0}, but must be a multiple of 32: use {1}");

    public static readonly DiagnosticDescriptor BlocksWithCuts = Error("AG0047", "Block lists exclude documents, chunks and dilation",
        "{0} cannot be combined with block lists: {1}");

    public static readonly DiagnosticDescriptor OtherGenerator = Error("AG0048", "Another generator writes the body",
        "'{0}' gets its body from [{1}], but a method has only one body: remove one of the two attributes");

    public static readonly DiagnosticDescriptor UnknownRole = Error("AG0049", "The role is unknown",
        "'{0}' has the role {1}, which is not an AttentionRole: {2}");

    public static readonly DiagnosticDescriptor UselessDefault = Error("AG0050", "A default value is invalid",
        "'{0}' is {1} by default, and every call that omits it throws: {2}");

    public static readonly DiagnosticDescriptor RotaryWithoutTable = Error("AG0051", "Rotary positions have no table",
        "Rotary = {0} needs the cosines and sines of the positions, but no parameter gives them: add '{1}', or remove Rotary");

    public static readonly DiagnosticDescriptor RotaryWithoutEffect = Error("AG0052", "A rotary setting is given without rotary positions",
        "'{0}' has no effect, because queries and keys are not rotated: set Rotary to Halves or Interleaved, or remove '{0}'");

    public static readonly DiagnosticDescriptor UnknownRotary = Error("AG0053", "The kind of rotary positions is unknown",
        "Rotary is {0}, which is not an AttentionRotary: use None, Halves or Interleaved");

    public static readonly DiagnosticDescriptor BadRotaryRange = Error("AG0054", "The rotated elements are invalid",
        "{0}: {1}");

    public static readonly DiagnosticDescriptor OldLanguage = Error("AG0060", "The version of C# is too old",
        "The project is compiled as C# {0}, but the kernel of '{1}' needs C# 12: remove LangVersion from the project file, or set it to 12 or higher");

    public static readonly DiagnosticDescriptor UnlikeElements = Error("AG0062", "The element types do not fit",
        "'{0}' has elements of the type {1}, but '{2}' of the type {3}: use {4}");

    public static readonly DiagnosticDescriptor NotWithCache = Error("AG0063", "A cache excludes another part of the declaration",
        "{0} cannot be combined with the cache '{1}': {2}");

    public static readonly DiagnosticDescriptor LayerWithoutCache = Error("AG0064", "A layer is given without a cache",
        "'{0}' selects a layer of a cache, but the kernel has none: add 'KeyValueCache<float> cache', or remove '{0}'");

    public static readonly DiagnosticDescriptor SequencesWithoutPagedCache = Error("AG0066", "Sequences are given without a paged cache",
        "'{0}' selects sequences of a paged cache, but {1}: {2}, or remove '{0}'");

    public static readonly DiagnosticDescriptor PagedCacheWithoutSequences = Error("AG0067", "A paged cache has no sequences",
        "'{0}' holds many sequences, but no parameter selects those of a call: add 'ReadOnlySpan<SequenceId> sequences', or use a KeyValueCache");

    public static readonly DiagnosticDescriptor FirstKeysWithoutWindow = Error("AG0069", "FirstKeys are given without a left window",
        "FirstKeys = {0} has no effect, because no window hides these keys: set WindowLeft, such as 1023, or remove FirstKeys");

    public static readonly DiagnosticDescriptor RingWithoutWindow = Error("AG0070", "A ring is given without a left window",
        "'{0}' keeps the last tokens only, but the kernel sees all of them: set WindowLeft to the window of the ring, or use '{1}'");

    // The call would throw, so nothing goes on in silence where it is turned off, as in a test of that exception.
    public static readonly DiagnosticDescriptor UnfitCall = new("AG0071", "A call does not fit its cache",
        "{0}, but {1}: {2}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0071.md");

    public static readonly DiagnosticDescriptor RoleOfOthers = Error("AG0072", "A role belongs to other declarations",
        "'{0}' has the role {1}, which only {2} have: {3}");

    public static readonly DiagnosticDescriptor LayerArgument = Error("AG0073", "An argument has no effect on a layer",
        "{0} has no effect on a layer, whose queries, keys and values lie in its own memory: remove it");

    public static readonly DiagnosticDescriptor TwoAttributes = Error("AG0074", "A method is a kernel and a layer",
        "'{0}' has both [{1}] and [{2}]: remove one of them");

    public static readonly DiagnosticDescriptor ContextDimWithoutContext = Error("AG0075", "ContextDim is given without a context",
        "ContextDim = {0} has no effect, because keys and values come from the input: add 'ReadOnlySpan<float> context', or remove ContextDim");

    public static readonly DiagnosticDescriptor NotWithValueFromKey = Error("AG0076", "ValueFromKey excludes another part of the declaration",
        "{0} cannot be combined with ValueFromKey: {1}");

    public static readonly DiagnosticDescriptor UnknownScore = Error("AG0077", "The score is unknown",
        "Score is {0}, which is not an AttentionScore: use Dot, General or Additive");

    public static readonly DiagnosticDescriptor NotWithScore = Error("AG0078", "A score excludes another part of the declaration",
        "{0} cannot be combined with Score = {1}: {2}");

    public static readonly DiagnosticDescriptor ScoreWithoutWeights = Error("AG0079", "A score has no weights",
        "Score = {0} needs {1}, but no parameter gives them: add '{2}'");

    public static readonly DiagnosticDescriptor OperandOfNoRule = Error("AG0080", "An operand has no effect on linear attention",
        "'{0}' has no effect, because {1}: {2}, or remove the parameter");

    public static readonly DiagnosticDescriptor UnknownRule = Error("AG0081", "The rule or the feature map of linear attention is unknown",
        "{0} is {1}, but must be {2}");

    public static readonly DiagnosticDescriptor NormalizeExcludes = Error("AG0082", "Normalised linear attention excludes another argument",
        "Normalize = true excludes {0}, because {1}: remove one of the two");

    public static readonly DiagnosticDescriptor StateWithoutNormalizer = Error("AG0083", "State and normaliser belong together",
        "'{0}' needs '{1}', because with Normalize = true a call goes on from both: add 'Span<float> {1}'");

    public static readonly DiagnosticDescriptor PartOfOtherScore = Error("AG0093", "A part of another score is given",
        "{0} belongs to Score = {1}: set it, or remove {0}");

    public static readonly DiagnosticDescriptor UnknownSelection = Error("AG0098", "The selection is unknown",
        "Selection is {0}, which is not an AttentionSelection: use {1}");

    public static readonly DiagnosticDescriptor NoWeights = Error("AG0099", "A parameter needs the weights of a softmax",
        "'{0}' needs the weights of a softmax, but with Selection = {1} a row has the value of one key: {2}");

    public static readonly DiagnosticDescriptor PaddedPrefill = new("AG0101", "The position of the first query is ambiguous",
        "Without a start, the last query of each batch item is at its last visible key, which is wrong for a padded prefill: "
        + "add 'int queryStart' and pass 0 for a prefill, set QueryLength = 1 for decode, or suppress this if the queries follow the keys of a cache",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0101.md");

    // Reported once for a project, at its first kernel. Only the complete compilation tells which kernel is the first.
    public static readonly DiagnosticDescriptor DebugBuild = new("AG0102", "Kernels are slow in an unoptimised build",
        "This build is not optimised, which makes {0} 10 to 24 times slower: "
        + "build with -c Release, or set <Optimize>true</Optimize> in the project that declares kernels",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0102.md",
        customTags: WellKnownDiagnosticTags.CompilationEnd);

    public static readonly DiagnosticDescriptor MoreQueriesThanKeys = new("AG0103", "The first queries see no key",
        "With {0} and no start, the last query is at the last key, so that the first {1} cannot see a key: "
        + "add 'int queryStart' and pass 0 if the first query is at the first key, or suppress this if an output of zeros is intended",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0103.md");

    public static readonly DiagnosticDescriptor WindowWithoutEffect = new("AG0104", "A window hides nothing",
        "{0} = {1} hides no key, because {2}: {3}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0104.md");

    public static readonly DiagnosticDescriptor HidesEverything = new("AG0105", "A mask hides every key",
        "Every output is 0, because {0}: change the mask method so that it shows some keys",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: HelpLink + "AG0105.md");

    public static IReadOnlyList<DiagnosticDescriptor> All { get; } =
    [
        NotPartial, HasBody, ReturnsValue, GenericMethod, TypeNotPartial, GenericType, FileLocalType, Interface, OutOfRange, UnevenGroups, BadScale,
        UnknownMask, MissingParameter, DuplicateParameter, UnknownParameter, WrongParameterType, MaskParameterWithoutMask, BatchWithoutBatched,
        NotAMethod, UnknownIsas, UnknownLayout, NarrowStride, StrideOfTensorSpan, BadSoftCap, BadAxes, AxesWithoutParameter, SlopesTwice, CannotLift,
        BucketsWithoutParameter, RelativeBiasWithoutBuckets,
        BadBuckets, ScaleTwice, UnknownStage, StageWithoutScores, UnknownNorm, NormWithoutEffect, BadNormEpsilon,
        PrefixWithoutCausal, PrefixTwice, DocumentsInBatch, KeyDocumentsAlone, IncompleteBlocks, BadKeyBlockSize, BlocksWithCuts,
        OtherGenerator, UnknownRole, UselessDefault, RotaryWithoutTable, RotaryWithoutEffect, UnknownRotary, BadRotaryRange,
        OldLanguage, UnlikeElements, NotWithCache, LayerWithoutCache, SequencesWithoutPagedCache, PagedCacheWithoutSequences, FirstKeysWithoutWindow, RingWithoutWindow,
        UnfitCall, RoleOfOthers, LayerArgument, TwoAttributes, ContextDimWithoutContext, NotWithValueFromKey, UnknownScore, NotWithScore, ScoreWithoutWeights,
        OperandOfNoRule, UnknownRule, NormalizeExcludes, StateWithoutNormalizer, PartOfOtherScore, UnknownSelection, NoWeights,
        PaddedPrefill, DebugBuild, MoreQueriesThanKeys, WindowWithoutEffect, HidesEverything,
    ];

    /// <summary>Those that are reported at calls. All others are reported at declarations.</summary>
    public static IReadOnlyList<DiagnosticDescriptor> OfCalls { get; } = [UnfitCall];

    // Errors of declarations are not configurable: if a project turned one off, the build would succeed without the kernel.
    private static DiagnosticDescriptor Error(string id, string title, string message) =>
        new(id, title, message, Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: HelpLink + id + ".md",
            customTags: WellKnownDiagnosticTags.NotConfigurable);
}
