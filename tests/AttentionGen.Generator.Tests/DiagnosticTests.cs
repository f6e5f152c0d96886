using AttentionGen.Generator.Model;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Testing;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Each wrong declaration is one error at its place, with the user's numbers and the way out, and no second one.</summary>
public class DiagnosticTests
{
    private const string T = Sample.Tensors, S = Sample.TensorSpan, TensorSpans = Sample.TensorSpans;
    private const string L = "ReadOnlySpan<float> input, AttentionWeights<float> weights, Span<float> output";
    private const string Roles =
        "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int queryStart, "
        + "ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> keyLengths, int maxThreads, Span<byte> scratch, "
        + "ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> slopes, ReadOnlySpan<float> sinks, Span<float> logSumExp, "
        + "int prefixLength, ReadOnlySpan<int> prefixLengths, ReadOnlySpan<int> documentStarts, ReadOnlySpan<int> keyDocumentStarts, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, "
        + "ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, Span<float> scores, "
        + "Span<float> maxScore, Span<float> entropy, Span<int> argmax, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, RotaryTable rotary, "
        + "KeyValueCache<float> cache, int layer, ReadOnlySpan<SequenceId> sequences, ReadOnlySpan<float> scoreVector, ReadOnlySpan<float> queryKeyWeight; query, key and value may also be ReadOnlyTensorSpan<float>, output TensorSpan<float>, and the elements of these four Half or BFloat16";

    /// <summary>Id; members of a partial class Llama, or whole source where it begins with a bar; message; errors of the compiler that nobody can avoid, at the place <c>#1</c>. <c>#2</c> is where a cache is created.</summary>
    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "AG0001", $"[Attention(2, 8)] public static void [|Attend|]({T}) {{ }}", "'Attend' must be a partial method without a body: declare it as 'public static partial void Attend(...);'", "" },
        { "AG0001", $"[Attention(2, 8)] void [|Attend|]({T}) => throw null!;", "'Attend' must be a partial method without a body: declare it as 'partial void Attend(...);'", "" },
        { "AG0001", $"[Attention(2, 8)] public static void {{|#1:[|Attend|]|}}({T});", "'Attend' must be a partial method without a body: declare it as 'public static partial void Attend(...);'", "CS0501" },
        { "AG0001", $"[Attention(2, 8)] internal static extern void [|Attend|]({T});", "'Attend' must be a partial method without a body: declare it as 'internal static partial void Attend(...);'", "" },
        { "AG0002", $"[Attention(2, 8)] static partial void [|Attend|]({T}); static partial void Attend({T}) {{ }}", "'Attend' already has a body, but the generator writes the body of a kernel: keep only 'static partial void Attend(...);', or remove [Attention]", "" },
        { "AG0002", $"static partial void [|Attend|]({T}); [Attention(2, 8)] static partial void Attend({T}) {{ }}", "'Attend' already has a body, but the generator writes the body of a kernel: keep only 'static partial void Attend(...);', or remove [Attention]", "" },
        { "AG0002", $"[Attention(2, 8)] static partial void [|Attend|]({T}) {{ }}", "'Attend' already has a body, but the generator writes the body of a kernel: keep only 'static partial void Attend(...);', or remove [Attention]", "" },
        { "AG0002", $"[Attention(2, 8)] public static extern partial void [|Attend|]({T});", "'Attend' already has a body, but the generator writes the body of a kernel: keep only 'public static partial void Attend(...);', or remove [Attention]", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|float[]|] Attend({T});", "'Attend' returns 'float[]', but a kernel returns void: use void and the parameter 'Span<float> output'", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|Span<float>|] Attend({T});", "'Attend' returns 'Span<float>', but a kernel returns void: use void and the parameter 'Span<float> output'", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|ref int|] Attend({T});", "'Attend' returns 'ref int', but a kernel returns void: use void and the parameter 'Span<float> output'", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|System.Threading.Tasks.Task<string?>|] Attend({T});", "'Attend' returns 'Threading.Tasks.Task<string?>', but a kernel returns void: use void and the parameter 'Span<float> output'", "" },
        { "AG0004", $"[Attention(2, 8)] public static partial void [|Attend|]<T>({T});", "'Attend' is generic, but a kernel is generated for one shape and one element type: remove the type parameters", "" },
        { "AG0004", $"[Attention(2, 8)] public static partial void [|Attend|]<T, @class>({T}) where T : IEnumerable<@class>, new() where @class : class?;", "'Attend' is generic, but a kernel is generated for one shape and one element type: remove the type parameters", "" },
        { "AG0004", $"[Attention(2, 8)] public static partial void [|Attend|]<T>({T}) where T : unmanaged, IComparable<T>;", "'Attend' is generic, but a kernel is generated for one shape and one element type: remove the type parameters", "" },
        { "AG0005", $"|static class [|Kernels|] {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }}", "The type 'Kernels' contains the kernel 'Attend' and must be partial: use 'partial class Kernels'", "CS0751 CS8795" },
        { "AG0005", $"|struct [|Outer|] {{ partial class Inner {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }} }}", "The type 'Outer' contains the kernel 'Attend' and must be partial: use 'partial struct Outer'", "CS8795" },
        { "AG0005", $"|partial class Outer {{ record struct [|Inner|] {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }} }}", "The type 'Inner' contains the kernel 'Attend' and must be partial: use 'partial record struct Inner'", "CS0751 CS8795" },
        { "AG0006", $"|partial class [|Kernels|]<T> {{ [Attention(2, 8)] public static partial void Attend({T}); }}", "The type 'Kernels' contains the kernel 'Attend' and must not be generic: declare the kernel in a type without type parameters", "" },
        { "AG0006", $"|partial class [|Outer|]<T, @in> where T : class {{ partial struct Inner {{ [Attention(2, 8)] public static partial void Attend({T}); }} }}", "The type 'Outer' contains the kernel 'Attend' and must not be generic: declare the kernel in a type without type parameters", "" },
        { "AG0007", $"|file static partial class [|Kernels|] {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }}", "The type 'Kernels' contains the kernel 'Attend' and must not be file-local, because the kernel is in another file: make it internal", "CS8795" },
        { "AG0008", $"|partial interface [|IKernels|] {{ [Attention(2, 8)] static partial void Attend({T}); }}", "'Attend' is a member of the interface 'IKernels': declare the kernel in a class or a struct", "" },
        { "AG0008", $"|partial interface [|IKernels|]<out X> {{ [Attention(2, 8)] public static partial void Attend({T}); }}", "'Attend' is a member of the interface 'IKernels': declare the kernel in a class or a struct", "" },
        { "AG0009", $"[Attention([|0|], 8)] static partial void Attend({T});", "heads is 0, but must be from 1 to 4096", "" },
        { "AG0009", $"[Attention([|heads: 5000|], headDim: 8)] static partial void Attend({T});", "heads is 5000, but must be from 1 to 4096: use 625 (5000 / 8) if 5000 is the width of all heads", "" },
        { "AG0009", $"[Attention(headDim: 8, [|heads: -1|], Scale = 1f)] static partial void Attend({T});", "heads is -1, but must be from 1 to 4096", "" },
        { "AG0009", $"[Attention(2, [|513|])] static partial void Attend({T});", "headDim is 513, but must be from 1 to 512", "" },
        { "AG0009", $"const int Dim = -8; [Attention(2, [|Dim * 2|])] static partial void Attend({T});", "headDim is -16, but must be from 1 to 512", "" },
        { "AG0009", $"[Attention(2, 8, [|KeyValueHeads = 0|])] static partial void Attend({T});", "KeyValueHeads is 0, but must be from 1 to 4096; remove it if each head has its own keys and values", "" },
        { "AG0009", $"[Attention(2, 8, Scale = 1f, [|ValueDim = 1024|])] static partial void Attend({T});", "ValueDim is 1024, but must be from 1 to 512: use 512 (1024 / 2) if 1024 is the width of all heads", "" },
        { "AG0009", $"[Attention(2, 8, [|QueryLength = 0|])] static partial void Attend({T});", "QueryLength is 0, but must be from 1 to 1048576; remove it if the length varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, KeyLength = 1048576, [|QueryLength = 1048577|])] static partial void Attend({T});", "QueryLength is 1048577, but must be from 1 to 1048576; remove it if the length varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, [|KeyLength = -1|])] static partial void Attend({T});", "KeyLength is -1, but must be from 1 to 1048576; remove it if the length varies from call to call", "" },
        { "AG0009", $"[Attention(2, [|0|], QueryStride = 1)] static partial void Attend({T});", "headDim is 0, but must be from 1 to 512", "" },
        { "AG0009", $"[Attention([|int.MaxValue|], 512, QueryStride = 1, OutputStride = 1)] static partial void Attend({T});", "heads is 2147483647, but must be from 1 to 4096", "" },
        { "AG0009", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|KeyLength = 0|], QueryLength = 1)] static partial void Attend({T});", "KeyLength is 0, but must be from 1 to 1048576; remove it if the length varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, [|WindowLeft = -2|])] static partial void Attend({T}, int queryStart);", "WindowLeft is -2, but must be from 0 to 1048575; remove it if that side is open", "" },
        { "AG0009", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|WindowRight = 1048576|])] static partial void Attend({T});", "WindowRight is 1048576, but must be from 0 to 1048575; remove it if that side is open", "" },
        { "AG0009", $"[Attention(2, 8, KeyLength = 8, [|WindowLeft = int.MaxValue|])] static partial void Attend({T});", "WindowLeft is 2147483647, but must be from 0 to 1048575; remove it if that side is open", "" },
        { "AG0009", $"[Attention(2, 8, Mask = AttentionMask.Causal, WindowLeft = 1, [|QueryLength = int.MinValue|], KeyLength = 8)] static partial void Attend({T});", "QueryLength is -2147483648, but must be from 1 to 1048576; remove it if the length varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, WindowLeft = 8, [|WindowRight = int.MaxValue|], QueryLength = 4, KeyLength = 16)] static partial void Attend({T});", "WindowRight is 2147483647, but must be from 0 to 1048575; remove it if that side is open", "" },
        { "AG0009", $"[Attention(2, 8, [|RelativeBuckets = 1|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeBuckets is 1, but must be from 2 to 1024; T5 has 32", "" },
        { "AG0009", $"[Attention(2, 8, RelativeBuckets = 32, [|RelativeMaxDistance = 65537|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 65537, but must be from 1 to 65536; remove it for 128, the value of T5", "" },
        { "AG0009", $"[Attention(12, [|768|])] static partial void Attend({T});", "headDim is 768, but must be from 1 to 512: use 64 (768 / 12) if 768 is the width of all heads", "" },
        { "AG0009", $"[Attention(2, [|1025|], ValueFromKey = true)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output);", "headDim is 1025, but must be from 1 to 1024", "" },
        { "AG0009", $"[Attention(2, 576, ValueFromKey = true, [|ValueDim = 577|])] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output);", "ValueDim is 577, but must be from 1 to 576; remove it if it equals headDim", "" },
        { "AG0009", $"[Attention(2, 64, Score = AttentionScore.General, [|KeyDim = 513|])] static partial void Attend({T}, ReadOnlySpan<float> queryKeyWeight);", "KeyDim is 513, but must be from 1 to 512; remove it if it equals headDim", "" },
        { "AG0010", $"[Attention(12, 8, [|KeyValueHeads = 5|])] static partial void Attend({T});", "heads is 12 and KeyValueHeads is 5, but KeyValueHeads must divide heads: use 4 or 6", "" },
        { "AG0010", $"[Attention(1, 8, [|KeyValueHeads = 2|])] static partial void Attend({T});", "heads is 1 and KeyValueHeads is 2, but KeyValueHeads must divide heads: use 1", "" },
        { "AG0010", $"[Attention(12, 8, [|KeyValueHeads = 5|], KeyStride = 1, ValueStride = 1)] static partial void Attend({T});", "heads is 12 and KeyValueHeads is 5, but KeyValueHeads must divide heads: use 4 or 6", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = 0|])] static partial void Attend({T});", "Scale is 0, but must be a number other than 0 and at most 2E+38 in magnitude: remove it for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = float.NaN|])] static partial void Attend({T});", "Scale is NaN, but must be a number other than 0 and at most 2E+38 in magnitude: remove it for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = float.NegativeInfinity|])] static partial void Attend({T});", "Scale is -Infinity, but must be a number other than 0 and at most 2E+38 in magnitude: remove it for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = float.MaxValue|])] static partial void Attend({T});", "Scale is 3.4028235E+38, but must be a number other than 0 and at most 2E+38 in magnitude: remove it for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, Score = AttentionScore.Additive, [|Scale = 0|])] static partial void Attend({T}, ReadOnlySpan<float> scoreVector);", "Scale is 0, but must be a number other than 0 and at most 2E+38 in magnitude: remove it for 1", "" },
        { "AG0012", $"[Attention(2, 8, [|Mask = (AttentionMask)7|])] static partial void Attend({T});", "Mask is 7, which is not an AttentionMask: use None or Causal", "" },
        { "AG0012", $"[Attention(2, 8, [|Mask = (AttentionMask)7|])] static partial void Attend({T}, int queryStart);", "Mask is 7, which is not an AttentionMask: use None or Causal", "" },
        { "AG0013", $"[Attention(2, 8)] static partial void [|Attend|](ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output);", $"'Attend' has no parameter for value: add 'ReadOnlySpan<float> value', or mark an existing parameter with its role, such as [Role(AttentionRole.Value)]", "" },
        { "AG0013", "[Attention(2, 8, Batched = true)] static partial void [|Attend|](ReadOnlySpan<float> query);", $"'Attend' has no parameter for key, value, output, batch: add 'ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch', or mark an existing parameter with its role, such as [Role(AttentionRole.Key)]", "" },
        { "AG0013", $"[Attention(2, 8, Batched = true)] static partial void [|Attend|]({T});", $"'Attend' has no parameter for batch: add 'int batch', or mark an existing parameter with its role, such as [Role(AttentionRole.Batch)]", "" },
        { "AG0013", $"[Attention(2, 8, Batched = true)] static partial void [|Attend|]({TensorSpans.Replace(S + " value", "ReadOnlySpan<float> value")});", $"'Attend' has no parameter for batch: add 'int batch', or mark an existing parameter with its role, such as [Role(AttentionRole.Batch)]", "" },
        { "AG0013", $"[Attention(2, 8, Batched = true)] static partial void [|Attend|]({S} query, {S} key);", $"'Attend' has no parameter for value, output: add 'ReadOnlyTensorSpan<float> value, TensorSpan<float> output', or mark an existing parameter with its role, such as [Role(AttentionRole.Value)]", "" },
        { "AG0013", $"[Attention(2, 8)] static partial void [|Attend|]({S} query, ReadOnlySpan<float> key, Span<float> output);", $"'Attend' has no parameter for value: add 'ReadOnlySpan<float> value', or mark an existing parameter with its role, such as [Role(AttentionRole.Value)]", "" },
        { "AG0013", "[MultiHeadAttention(16, 2, 8)] static partial void [|Attend|](ReadOnlySpan<float> input, Span<float> output);", "'Attend' has no parameter for weights: add 'AttentionWeights<float> weights', or mark an existing parameter with its role, such as [Role(AttentionRole.Weights)]", "" },
        { "AG0014", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|Query|]);", "'query' and 'Query' both have the role query: remove one of them", "" },
        { "AG0014", $"[Attention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.MaxThreads)] int a, [Role(AttentionRole.MaxThreads)] int [|b|]);", "'a' and 'b' both have the role maxThreads: remove one of them", "" },
        { "AG0014", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int queryStart, ReadOnlySpan<int> [|queryStarts|]);", "'queryStart' and 'queryStarts' both give the position of the first query: remove one of them", "" },
        { "AG0015", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> [|q|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", $"'q' has no role in a kernel: rename it to 'query', or mark it with [Role(AttentionRole.Query)]", "" },
        { "AG0015", $"[Attention(2, 8, Batched = true)] static partial void Attend({TensorSpans.Replace("query", "[|q|]")});", $"'q' has no role in a kernel: rename it to 'query', or mark it with [Role(AttentionRole.Query)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({TensorSpans.Replace("output", "[|o|]")});", $"'o' has no role in a kernel: rename it to 'output', or mark it with [Role(AttentionRole.Output)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({TensorSpans}, {S} [|offset|]);", $"'offset' has no role in a kernel: remove it, rename it and change its type, or pass it to a MaskMethod or a ScoreMethod. The parameters of a kernel are: {Roles}.", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, float [|slope|]);", $"'slope' has no role in a kernel: remove it, rename it and change its type, or pass it to a MaskMethod or a ScoreMethod. The parameters of a kernel are: {Roles}.", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, bool [|isCausal|]);", "'isCausal' has no role in a kernel: remove it, and set it in the attribute, such as Mask = AttentionMask.Causal", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, float [|scale|]);", "'scale' has no role in a kernel: remove it, and set it in the attribute, such as Scale = 0.125f", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|scale|]);", "'scale' has no role in a kernel: rename it to 'scales', or mark it with [Role(AttentionRole.Scales)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<bool> [|mask|]);", "'mask' has no role in a kernel: rename it to 'keep', or mark it with [Role(AttentionRole.Keep)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|attnMask|]);", "'attnMask' has no role in a kernel: rename it to 'bias', or mark it with [Role(AttentionRole.Bias)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, bool[] [|attn_mask|]);", "'attn_mask' has no role in a kernel: rename it to 'keep', or mark it with [Role(AttentionRole.Keep)], and change its type to 'ReadOnlySpan<bool>'", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, int [|position|]);", "'position' has no role in a kernel: rename it to 'queryStart', or mark it with [Role(AttentionRole.QueryStart)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|seqLens|]);", "'seqLens' has no role in a kernel: rename it to 'keyLengths', or mark it with [Role(AttentionRole.KeyLengths)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, int [|keyLength|]);", "'keyLength' has no role in a kernel: remove it, because the spans give the lengths; set a length that is the same in every call in the attribute, such as QueryLength = 16 or KeyLength = 16", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, Span<float> [|attentionWeights|]);", "'attentionWeights' has no role in a kernel: rename it to 'scores', or mark it with [Role(AttentionRole.Scores)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> [|ouptut|]);", "'ouptut' has no role in a kernel: rename it to 'output', or mark it with [Role(AttentionRole.Output)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> [|x|], Span<float> output);", "'x' has no role in a kernel: rename it to 'value', or mark it with [Role(AttentionRole.Value)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|q|]);", "'q' has no role in a kernel: remove it, because 'query' is already the query, or mark it with another role, such as [Role(AttentionRole.Bias)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|spans|]);", "'spans' has no role in a kernel: rename it to a role of its type (queryStarts, keyLengths, prefixLengths, documentStarts, keyDocumentStarts, keyBlockStarts or keyBlocks), mark it with its role, such as [Role(AttentionRole.QueryStarts)], or remove it", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend(float[] [|q|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "'q' has no role in a kernel: rename it to 'query', or mark it with [Role(AttentionRole.Query)], and change its type to 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>'", "" },
        { "AG0015", "[MultiHeadAttention(16, 2, 8)] static partial void Attend(ReadOnlySpan<float> [|x|], AttentionWeights<float> weights, Span<float> output);", "'x' has no role in a kernel: rename it to 'input', or mark it with [Role(AttentionRole.Input)]", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(float[] [|query|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "'query' is 'float[]', but the role query needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, in ReadOnlySpan<float> [|value|], Span<float> output);", "'value' is 'in ReadOnlySpan<float>', but the role value needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, [Role(AttentionRole.Output)] ReadOnlySpan<float> [|o|]);", "'o' is 'ReadOnlySpan<float>', but the role output needs 'Span<float>' or 'TensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<sbyte> [|key|], ReadOnlySpan<float> value, Span<float> output);", "'key' is 'ReadOnlySpan<sbyte>', but the role key needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<sbyte> [|key|], ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output);", "'key' is 'ReadOnlySpan<sbyte>', but the role key needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<sbyte> [|value|], KeyValueCache<sbyte> cache, Span<float> output);", "'value' is 'ReadOnlySpan<sbyte>', but the role value needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<sbyte> [|query|], KeyValueCache<sbyte> cache, Span<float> output);", "'query' is 'ReadOnlySpan<sbyte>', but the role query needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, KeyValueCache<sbyte> cache, Span<sbyte> [|output|]);", "'output' is 'Span<sbyte>', but the role output needs 'Span<float>' or 'TensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", $"[Attention(2, 8, Batched = true)] static partial void Attend({TensorSpans.Replace("ReadOnlyTensorSpan<float> key", "Tensor<float> [|key|]")});", "'key' is 'Tensor<float>', but the role key needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend(ref {TensorSpans.Replace("query", "[|query|]")});", "'query' is 'ref ReadOnlyTensorSpan<float>', but the role query needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({TensorSpans.Replace(Sample.OutputTensorSpan + " output", S + " [|output|]")});", "'output' is 'ReadOnlyTensorSpan<float>', but the role output needs 'Span<float>' or 'TensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T.Replace("ReadOnlySpan<float> key", "global::System.Numerics.Tensors.ReadOnlyTensorSpan<double> [|key|]")});", "'key' is 'ReadOnlyTensorSpan<double>', but the role key needs 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or the same of Half or BFloat16: change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T}, long [|maxThreads|]);", "'maxThreads' is 'long', but the role maxThreads needs 'int': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T}, params ReadOnlySpan<int> [|keyLengths|]);", "'keyLengths' is 'params ReadOnlySpan<int>', but the role keyLengths needs 'ReadOnlySpan<int>': change its type", "" },
        { "AG0016", $"unsafe partial class Inner {{ [Attention(2, 8)] static partial void Attend({T}, int* [|maxThreads|]); }}", "'maxThreads' is 'int*', but the role maxThreads needs 'int': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<byte> [|keep|]);", "'keep' is 'ReadOnlySpan<byte>', but the role keep needs 'ReadOnlySpan<bool>': change its type", "" },
        { "AG0017", $"[Attention(2, 8)] static partial void Attend({T}, int [|queryStart|]);", "'queryStart' gives positions, but no mask uses them: set Mask = AttentionMask.Causal or a window, or remove the parameter", "" },
        { "AG0017", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|queryStarts|]);", "'queryStarts' gives positions, but no mask uses them: set Mask = AttentionMask.Causal or a window, or remove the parameter", "" },
        { "AG0017", $"[Attention(2, 8, WindowLeft = -1, WindowRight = -1)] static partial void Attend({T}, int [|queryStart|]);", "'queryStart' gives positions, but no mask uses them: set Mask = AttentionMask.Causal or a window, or remove the parameter", "" },
        { "AG0018", $"[Attention(2, 8)] static partial void Attend({T}, int [|batch|]);", "'batch' is the number of batch items, but the kernel has no batch: set Batched = true, or remove the parameter", "" },
        { "AG0019", "int P { [[|Attention(2, 8)|]] get => 1; }", "[Attention] is on an accessor, which cannot be a kernel: use it on a partial method of a class or a struct", "" },
        { "AG0019", $"void M() {{ [[|Attention(2, 8)|]] static void Attend({T}) {{ }} Attend(default, default, default, default); }}", "[Attention] is on a local function, which cannot be a kernel: use it on a partial method of a class or a struct", "" },
        { "AG0019", "Action A = [[|Attention(2, 8)|]] () => { };", "[Attention] is on a lambda, which cannot be a kernel: use it on a partial method of a class or a struct", "" },
        { "AG0019", "[[|Attention(2, 8)|]] public static Llama operator +(Llama a, Llama b) => a;", "[Attention] is on an operator, which cannot be a kernel: use it on a partial method of a class or a struct", "" },
        { "AG0019", "[[|Attention(2, 8)|]] ~Llama() { }", "[Attention] is on something other than a method, which cannot be a kernel: use it on a partial method of a class or a struct", "" },
        { "AG0019", "|class C : IDisposable { [[|Attention(2, 8)|]] void IDisposable.Dispose() { } }", "[Attention] is on an explicit implementation of an interface, which cannot be a kernel: use it on a partial method of a class or a struct", "" },
        { "AG0020", $"[Attention(2, 8, [|Isas = (AttentionIsas)17|])] static partial void Attend({T});", "Isas contains 16, which is not an AttentionIsas: use a combination of Portable, Avx2, Avx512 and Neon, or remove it for all of them", "" },
        { "AG0021", $"[Attention(2, 8, [|Layout = (AttentionLayout)2|])] static partial void Attend({T});", "Layout is 2, which is not an AttentionLayout: use TokenMajor or HeadMajor", "" },
        { "AG0021", $"[Attention(2, 8, [|Layout = (AttentionLayout)(-1)|], QueryStride = 1)] static partial void Attend({T});", "Layout is -1, which is not an AttentionLayout: use TokenMajor or HeadMajor", "" },
        { "AG0022", $"[Attention(12, 64, [|QueryStride = 512|])] static partial void Attend({T});", "QueryStride is 512, but a token of the query has heads * headDim = 12 * 64 = 768 elements: use 768 or more, or remove QueryStride", "" },
        { "AG0022", $"[Attention(12, 64, [|QueryStride = 0|], KeyValueHeads = 4, KeyStride = 256)] static partial void Attend({T});", "QueryStride is 0, but a token of the query has heads * headDim = 12 * 64 = 768 elements: use 768 or more, or remove QueryStride", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, [|KeyStride = 255|])] static partial void Attend({T});", "KeyStride is 255, but a token of the key has KeyValueHeads * headDim = 4 * 64 = 256 elements: use 256 or more, or remove KeyStride", "" },
        { "AG0022", $"[Attention(12, 64, ValueDim = 32, [|KeyStride = -768|])] static partial void Attend({T});", "KeyStride is -768, but a token of the key has heads * headDim = 12 * 64 = 768 elements: use 768 or more, or remove KeyStride", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 32, [|ValueStride = 127|])] static partial void Attend({T});", "ValueStride is 127, but a token of the value has KeyValueHeads * ValueDim = 4 * 32 = 128 elements: use 128 or more, or remove ValueStride", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 32, [|OutputStride = 383|])] static partial void Attend({T});", "OutputStride is 383, but a token of the output has heads * ValueDim = 12 * 32 = 384 elements: use 384 or more, or remove OutputStride", "" },
        { "AG0022", $"[Attention(4096, 512, [|OutputStride = int.MinValue|])] static partial void Attend({T});", "OutputStride is -2147483648, but a token of the output has heads * headDim = 4096 * 512 = 2097152 elements: use 2097152 or more, or remove OutputStride", "" },
        { "AG0022", $"[Attention(12, 64, Layout = AttentionLayout.HeadMajor, [|QueryStride = 63|])] static partial void Attend({T});", "QueryStride is 63, but a token of the query has headDim = 64 elements in the head-major layout: use 64 or more, or remove QueryStride", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 80, Layout = AttentionLayout.HeadMajor, KeyStride = 64, [|ValueStride = 64|])] static partial void Attend({T});", "ValueStride is 64, but a token of the value has ValueDim = 80 elements in the head-major layout: use 80 or more, or remove ValueStride", "" },
        { "AG0023", $"[Attention(12, 64, [|QueryStride = 768|])] static partial void Attend({TensorSpans});", "QueryStride has no effect, because 'query' is a 'ReadOnlyTensorSpan<float>' with its own strides: remove QueryStride, or change the type of 'query' to 'ReadOnlySpan<float>'", "" },
        { "AG0023", $"[Attention(12, 64, [|KeyStride = 0|], QueryStride = 768)] static partial void Attend({T.Replace("ReadOnlySpan<float> key", $"[Role(AttentionRole.Key)] {S} k")});", "KeyStride has no effect, because 'k' is a 'ReadOnlyTensorSpan<float>' with its own strides: remove KeyStride, or change the type of 'k' to 'ReadOnlySpan<float>'", "" },
        { "AG0023", $"[Attention(12, 64, [|ValueStride = 768|])] static partial void Attend({TensorSpans});", "ValueStride has no effect, because 'value' is a 'ReadOnlyTensorSpan<float>' with its own strides: remove ValueStride, or change the type of 'value' to 'ReadOnlySpan<float>'", "" },
        { "AG0023", $"[Attention(12, 64, [|OutputStride = 768|])] static partial void Attend({TensorSpans});", "OutputStride has no effect, because 'output' is a 'TensorSpan<float>' with its own strides: remove OutputStride, or change the type of 'output' to 'Span<float>'", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = 0f|])] static partial void Attend({T});", "SoftCap is 0, but must be positive and finite: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = -3f|])] static partial void Attend({T});", "SoftCap is -3, but must be positive and finite: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = float.NaN|])] static partial void Attend({T});", "SoftCap is NaN, but must be positive and finite: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = 1f / 0|])] static partial void Attend({T});", "SoftCap is Infinity, but must be positive and finite: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = 1e-40f|])] static partial void Attend({T});", "SoftCap is 1E-40, but the factor 1 / SoftCap = Infinity must be from 1.2E-38 to 2E+38: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0024", $"[Attention(2, 8, Scale = 1e38f, [|SoftCap = 0.25f|])] static partial void Attend({T});", "SoftCap is 0.25, but the factor Scale / SoftCap = Infinity must be from 1.2E-38 to 2E+38: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0024", $"[Attention(2, 64, [|SoftCap = 1e38f|])] static partial void Attend({T});", "SoftCap is 1E+38, but the factor 1 / SoftCap = 1.0000001E-38 must be from 1.2E-38 to 2E+38: use the value of the model, such as 50f, or remove it for no cap", "" },
        { "AG0025", $"[Attention(2, 8, [|BiasAxes = AttentionAxes.None|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "BiasAxes is None, but must contain Key: use Key, and optionally Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, Batched = true, [|KeepAxes = AttentionAxes.Batch | AttentionAxes.Query|])] static partial void Attend({T}, int batch, ReadOnlySpan<bool> keep);", "KeepAxes is Batch, Query, but must contain Key: use Key, and optionally Batch, Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, [|KeepAxes = AttentionAxes.Batch | AttentionAxes.Key|])] static partial void Attend({T}, ReadOnlySpan<bool> keep);", "KeepAxes is Batch, Key, but the kernel has no batch: use Key, and optionally Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, [|BiasAxes = (AttentionAxes)40|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "BiasAxes is 40, which is not an AttentionAxes: use Key, and optionally Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, [|BiasAxes = AttentionAxes.Key | AttentionAxes.HeadDim|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "BiasAxes is Key, HeadDim, but must not contain HeadDim: use Key, and optionally Head and Query", "" },
        { "AG0026", $"[Attention(2, 8, [|BiasAxes = AttentionAxes.Key|])] static partial void Attend({T});", "BiasAxes has no effect without the parameter bias: add 'ReadOnlySpan<float> bias', or remove BiasAxes", "" },
        { "AG0026", $"[Attention(2, 8, [|KeepAxes = AttentionAxes.Key|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "KeepAxes has no effect without the parameter keep: add 'ReadOnlySpan<bool> keep', or remove KeepAxes", "" },
        { "AG0027", $"[Attention(2, 8, [|Alibi = true|])] static partial void Attend({T}, ReadOnlySpan<float> slopes);", "Alibi = true uses the standard slopes, and 'slopes' passes others: remove one of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = \"Visible\"|])] static partial void Attend({T});", "'Visible' cannot become vector code: the type of the kernel has no such method: add 'static bool Visible(int query, int key) => ...;'", "" },
        { "AG0028", $"[Attention(2, 8, [|ScoreMethod = \"Score\"|])] static partial void Attend({T});", "'Score' cannot become vector code: the type of the kernel has no such method: add 'static float Score(float score, int query, int key) => ...;'", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static int Visible(int query, int key) => 1;", "'Visible' cannot become vector code: it must be static and return bool: use 'static bool Visible(int query, int key)'", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key) => true; static bool Visible(int key) => true;", "'Visible' cannot become vector code: several methods have this name: rename one of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key, int width) => key < width;", "'Visible' cannot become vector code: its parameter 'width' is none of query, key, head, batch, and the kernel has no parameter 'int width': add it to the kernel, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, float key) => true;", "'Visible' cannot become vector code: its parameter 'key' has the wrong type: use int", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, long other) => true;", "'Visible' cannot become vector code: its parameter 'other' is long: use int, float, or a ReadOnlySpan of one of them", "" },
        { "AG0029", $"[Attention(2, 8, [|RelativeBuckets = 32|])] static partial void Attend({T});", "RelativeBuckets = 32 has no effect without the parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or remove RelativeBuckets", "" },
        { "AG0029", $"[Attention(2, 8, [|RelativeMaxDistance = 64|])] static partial void Attend({T});", "RelativeMaxDistance = 64 has no effect without the parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or remove RelativeMaxDistance", "" },
        { "AG0029", $"[Attention(2, 8, [|RelativeBidirectional = false|])] static partial void Attend({T});", "RelativeBidirectional = false has no effect without the parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or remove RelativeBidirectional", "" },
        { "AG0030", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|relativeBias|]);", "'relativeBias' has one bias for each bucket of distances, but their number is not given: set RelativeBuckets, such as 32 for T5, or remove the parameter", "" },
        { "AG0030", $"[Attention(2, 8, RelativeMaxDistance = 64)] static partial void Attend({T}, [Role(AttentionRole.RelativeBias)] ReadOnlySpan<float> [|table|]);", "'table' has one bias for each bucket of distances, but their number is not given: set RelativeBuckets, such as 32 for T5, or remove the parameter", "" },
        { "AG0031", $"[Attention(64, 8, RelativeBuckets = 32, [|RelativeMaxDistance = 16369|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 16369, but the biases of 64 heads for all distances must fit into 8 MiB: use 16368 or less", "" },
        { "AG0031", $"[Attention(2, 8, [|RelativeBuckets = 33|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeBuckets is 33, but must be even, because each direction has half of the buckets: use 32 or 34, or set RelativeBidirectional = false", "" },
        { "AG0031", $"[Attention(2, 8, [|RelativeBuckets = 2|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeBuckets is 2, but each direction needs at least 2 buckets: use 4 or more, or set RelativeBidirectional = false", "" },
        { "AG0031", $"[Attention(2, 8, RelativeBuckets = 32, [|RelativeMaxDistance = 8|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 8, but the first 8 of 16 buckets of a direction hold one distance each: use more than 8, or fewer buckets", "" },
        { "AG0031", $"[Attention(2, 8, [|RelativeBuckets = 256|], RelativeBidirectional = false)] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 128, but the first 128 of 256 buckets hold one distance each: use more than 128, or fewer buckets", "" },
        { "AG0032", $"[Attention(2, 8, [|Scale = 0.5f|])] static partial void Attend({T}, ReadOnlySpan<float> scales);", "Scale = 0.5 is the factor of all heads, and 'scales' has a factor for each head: remove one of them", "" },
        { "AG0028", $"[Attention(2, 8, ScoreMethod = nameof(Score))] static partial void Attend({T}); static float Score(float score, int key) => (float)([|0.5 * score|]);", "'Score' cannot become vector code: '0.5 * score': it is a double: use float literals, such as 0.5f, and MathF", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => key % [|query|] == 0;", "'Visible' cannot become vector code: 'query': the divisor of an int is not valid: use a constant other than 0 and -1", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|Math.Sign(key)|] == 0;", "'Visible' cannot become vector code: 'Math.Sign(key)': this function cannot be lifted: use Abs, Min, Max, Clamp of Math, MathF, float or int", "" },
        { "AG0028", $"[Attention(2, 8, ScoreMethod = nameof(Score))] static partial void Attend({T}); static float Score(float score) => [|MathF.Log(score, 2f)|];", "'Score' cannot become vector code: 'MathF.Log(score, 2f)': this function cannot be lifted: use Abs, Min, Max, Clamp, Sqrt, Exp, Exp2, Log, Log2, Tanh, Sin, Cos, FusedMultiplyAdd of Math, MathF, float or int", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key, ReadOnlySpan<int> segment) => segment[query] == segment[key];", "'Visible' cannot become vector code: its parameter 'segment' is none of query, key, head, batch, and the kernel has no parameter 'ReadOnlySpan<int> segment': add it to the kernel, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, ReadOnlySpan<float> sinks); static bool Visible(int query, int key, ReadOnlySpan<int> sinks) => sinks[key] > 0;", "'Visible' cannot become vector code: its parameter 'sinks' is none of query, key, head, batch, and the kernel has no parameter 'ReadOnlySpan<int> sinks': add it to the kernel, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}, ReadOnlySpan<int> segment); static bool Visible(int key, ReadOnlySpan<int> segment) => [|segment[^1]|] == key;", "'Visible' cannot become vector code: 'segment[^1]': this expression cannot be lifted: use parameters, elements of spans, constants, arithmetic, comparisons, patterns of numbers, ?:, switch expressions and calls", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<int> e); static bool Visible(int key, ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<int> e) => a[key] + b[key] + c[key] + d[key] + e[key] > 0;", "'Visible' cannot become vector code: the methods of the kernel use more than 4 spans: combine some of them", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => key >> [|query|] == 0;", "'Visible' cannot become vector code: 'query': the shift count is not a constant: use a constant", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key) {{ int x = key; return x < query; }}", "'Visible' cannot become vector code: the method is not one expression: use '=> ...' or a single return", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|Visible(key, query)|];", "'Visible' cannot become vector code: 'Visible(key, query)': the calls are recursive or more than 16 levels deep: use fewer levels", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|checked(query - key)|] > 3;", "'Visible' cannot become vector code: 'checked(query - key)': a kernel does not throw, and its ints wrap: remove checked, and limit values that may overflow, such as with Math.Clamp", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => Math.Abs([|checked(-key)|]) > 3;", "'Visible' cannot become vector code: 'checked(-key)': a kernel does not throw, and its ints wrap: remove checked, and limit values that may overflow, such as with Math.Clamp", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => key is [|var x|] && x > query;", "'Visible' cannot become vector code: 'var x': this pattern cannot be lifted: use constants, < <= > >=, and, or, not and _", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|(query, key)|] is (> 3, < 2);", "'Visible' cannot become vector code: '(query, key)': its type is (int query, int key): use int, float or bool", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, bool flag); static bool Visible(int query, int key, bool flag) => flag || key <= query;", "'Visible' cannot become vector code: its parameter 'flag' is bool: use int here and in the kernel, and 'flag != 0'", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, long width); static bool Visible(int query, int key, long width) => key <= width;", "'Visible' cannot become vector code: its parameter 'width' is long: use int, float, or a ReadOnlySpan of one of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, long a, int b, float c); static bool Visible(int query, int key, long a, int b, float c) => key <= b;", "'Visible' cannot become vector code: its parameter 'a' is long: use int, float, or a ReadOnlySpan of one of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, long queryStart); static bool Visible(int query, int key, long queryStart) => key <= 3;", "'Visible' cannot become vector code: its parameter 'queryStart' is long: use int, float, or a ReadOnlySpan of one of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, int width); static bool Visible(int query, int key, int widht) => key <= widht;", "'Visible' cannot become vector code: its parameter 'widht' is none of query, key, head, batch, and the kernel has no parameter 'int widht': add it to the kernel, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, float width); static bool Visible(int query, int key, int width) => key <= width;", "'Visible' cannot become vector code: its parameter 'width' is none of query, key, head, batch, and the kernel has no parameter 'int width': add it to the kernel, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = \"Visible\"|])] static partial void Attend({T}, int width, float slope);", "'Visible' cannot become vector code: the type of the kernel has no such method: add 'static bool Visible(int query, int key) => ...;'", "" },
        { "AG0035", $"[Attention(2, 8, [|ScoresStage = (AttentionStage)4|])] static partial void Attend({T}, Span<float> scores);", "ScoresStage is 4, which is not an AttentionStage: use Scaled, Capped, Masked or Weights", "" },
        { "AG0036", $"[Attention(2, 8, [|ScoresStage = AttentionStage.Masked|])] static partial void Attend({T});", "ScoresStage has no effect without the parameter scores: add 'Span<float> scores', or remove ScoresStage", "" },
        { "AG0037", $"[Attention(2, 8, [|QueryKeyNorm = (AttentionNorm)3|])] static partial void Attend({T});", "QueryKeyNorm is 3, which is not an AttentionNorm: use None, Rms or L2", "" },
        { "AG0038", $"[Attention(2, 8, [|NormEpsilon = 1e-5f|])] static partial void Attend({T});", "'NormEpsilon' has no effect, because queries and keys are not normalised: set QueryKeyNorm to Rms or L2, or remove 'NormEpsilon\'", "" },
        { "AG0038", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|queryNormWeight|]);", "'queryNormWeight' has no effect, because queries and keys are not normalised: set QueryKeyNorm to Rms or L2, or remove 'queryNormWeight\'", "" },
        { "AG0038", $"[Attention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.KeyNormWeight)] ReadOnlySpan<float> [|gain|]);", "'gain' has no effect, because queries and keys are not normalised: set QueryKeyNorm to Rms or L2, or remove 'gain\'", "" },
        { "AG0039", $"[Attention(2, 8, QueryKeyNorm = AttentionNorm.L2, [|NormEpsilon = 0f|])] static partial void Attend({T});", "NormEpsilon is 0, but must be finite and at least 1.2E-38: use the value of the model, or remove it for 1E-06", "" },
        { "AG0039", $"[Attention(2, 8, QueryKeyNorm = AttentionNorm.L2, [|NormEpsilon = 1e-45f|])] static partial void Attend({T});", "NormEpsilon is 1E-45, but must be finite and at least 1.2E-38: use the value of the model, or remove it for 1E-06", "" },
        { "AG0039", $"[Attention(2, 8, QueryKeyNorm = AttentionNorm.Rms, [|NormEpsilon = float.NaN|])] static partial void Attend({T});", "NormEpsilon is NaN, but must be finite and at least 1.2E-38: use the value of the model, or remove it for 1E-06", "" },
        { "AG0041", $"[Attention(2, 8, [|PrefixLength = 3|])] static partial void Attend({T});", "PrefixLength widens a causal mask, but the mask is not causal: set Mask = AttentionMask.Causal, or remove PrefixLength", "" },
        { "AG0041", $"[Attention(2, 8, WindowLeft = 3)] static partial void Attend({T}, int [|prefixLength|]);", "'prefixLength' widens a causal mask, but the mask is not causal: set Mask = AttentionMask.Causal, or remove 'prefixLength'", "" },
        { "AG0042", $"[Attention(2, 8, Mask = AttentionMask.Causal, Batched = true, PrefixLength = 3)] static partial void Attend({T}, int batch, ReadOnlySpan<int> [|prefixLengths|]);", "PrefixLength = 3 and the parameter 'prefixLengths' both give the length of the prefix: remove one of them", "" },
        { "AG0043", $"[Attention(2, 8, Batched = true)] static partial void Attend({T}, int batch, ReadOnlySpan<int> [|documentStarts|]);", "'documentStarts' packs documents instead of a batch: remove Batched = true or 'documentStarts'", "" },
        { "AG0044", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|keyDocumentStarts|]);", "'keyDocumentStarts' gives the documents of the keys, but nothing gives those of the queries: add 'ReadOnlySpan<int> documentStarts'", "" },
        { "AG0045", $"[Attention(2, 8, [|KeyBlockSize = 64|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlocks);", "A block-sparse mask needs QueryBlockSize, KeyBlockSize, 'ReadOnlySpan<int> keyBlockStarts' and 'ReadOnlySpan<int> keyBlocks', but QueryBlockSize and 'keyBlockStarts' are missing: add QueryBlockSize = 64 and 'ReadOnlySpan<int> keyBlockStarts', or remove the others", "" },
        { "AG0045", $"[Attention(2, 8, [|QueryBlockSize = 64|], KeyBlockSize = 64)] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts);", "A block-sparse mask needs QueryBlockSize, KeyBlockSize, 'ReadOnlySpan<int> keyBlockStarts' and 'ReadOnlySpan<int> keyBlocks', but 'keyBlocks' is missing: add 'ReadOnlySpan<int> keyBlocks', or remove the others", "" },
        { "AG0046", $"[Attention(2, 8, QueryBlockSize = 1, [|KeyBlockSize = 48|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);", "KeyBlockSize is 48, but must be a multiple of 32: use 32 or 64", "" },
        { "AG0047", $"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64)] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, ReadOnlySpan<int> [|documentStarts|]);", "'documentStarts' cannot be combined with block lists: call the kernel once for each document", "" },
        { "AG0047", $"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64, [|ChunkLength = 9|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);", "ChunkLength = 9 cannot be combined with block lists: use a MaskMethod with 'query / 9 == key / 9'", "" },
        { "AG0047", $"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64, [|Dilation = 2|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);", "Dilation = 2 cannot be combined with block lists: use a MaskMethod with '(query - key) % 2 == 0'", "" },
        { "AG0048", $"[Attention(2, 8), System.Runtime.InteropServices.LibraryImport(\"x\")] public static partial void {{|#1:[|Attend|]|}}({T});", "'Attend' gets its body from [LibraryImport], but a method has only one body: remove one of the two attributes", "CS8795" },
        { "AG0049", $"[Attention(2, 8)] static partial void Attend({T}, [Role((AttentionRole)99)] int [|maxThreads|]);", "'maxThreads' has the role 99, which is not an AttentionRole: remove [Role], because the name already gives the role maxThreads", "" },
        { "AG0049", $"[Attention(2, 8)] static partial void Attend([Role((AttentionRole)(-1))] ReadOnlySpan<float> [|query|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "'query' has the role -1, which is not an AttentionRole: remove [Role], because the name already gives the role query", "" },
        { "AG0049", $"[Attention(2, 8)] static partial void Attend({T}, [Role((AttentionRole)99)] ReadOnlySpan<float> [|extra|]);", "'extra' has the role 99, which is not an AttentionRole: use one of its values, such as AttentionRole.Query", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|queryStart|] = -1);", "'queryStart' is -1 by default, and every call that omits it throws: use 0 or more, or remove the default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|maxThreads|] = 0);", "'maxThreads' is 0 by default, and every call that omits it throws: use 1 or more, or remove the default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|maxThreads|] = default);", "'maxThreads' is 0 by default, and every call that omits it throws: use 1 or more, or remove the default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, [System.Runtime.InteropServices.Optional] int [|maxThreads|]);", "'maxThreads' is 0 by default, and every call that omits it throws: use 1 or more, or remove the default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|prefixLength|] = -3);", "'prefixLength' is -3 by default, and every call that omits it throws: use 0 or more, or remove the default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<float> [|bias|] = default);", "'bias' is empty by default, and every call that omits it throws: remove the default, and add an overload without the parameter", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<bool> [|keep|] = default);", "'keep' is empty by default, and every call that omits it throws: remove the default, and add an overload without the parameter", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, Span<float> [|logSumExp|] = default);", "'logSumExp' is empty by default, and every call that omits it throws: remove the default, and add an overload without the parameter", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<int> [|queryStarts|] = default);", "'queryStarts' is empty by default, and every call that omits it throws: remove the default, and add an overload without the parameter", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, Span<int> [|argmax|] = default);", "'argmax' is empty by default, and every call that omits it throws: remove the default, and add an overload without the parameter", "" },
        { "AG0050", $"[Attention(2, 8, Batched = true)] static partial void Attend({T}, int [|batch|] = -1);", "'batch' is -1 by default, and every call that omits it throws: use 0 or more, or remove the default", "" },
        { "AG0051", $"[Attention(2, 8, [|Rotary = AttentionRotary.Halves|])] static partial void Attend({T});", "Rotary = Halves needs the cosines and sines of the positions, but no parameter gives them: add 'RotaryTable rotary', or remove Rotary", "" },
        { "AG0052", $"[Attention(2, 8)] static partial void Attend({T}, RotaryTable [|rotary|]);", "'rotary' has no effect, because queries and keys are not rotated: set Rotary to Halves or Interleaved, or remove 'rotary\'", "" },
        { "AG0052", $"[Attention(2, 8, [|RotaryDim = 4|])] static partial void Attend({T});", "'RotaryDim' has no effect, because queries and keys are not rotated: set Rotary to Halves or Interleaved, or remove 'RotaryDim\'", "" },
        { "AG0052", $"[Attention(2, 8, [|RotaryStart = 4|])] static partial void Attend({T});", "'RotaryStart' has no effect, because queries and keys are not rotated: set Rotary to Halves or Interleaved, or remove 'RotaryStart\'", "" },
        { "AG0053", $"[Attention(2, 8, [|Rotary = (AttentionRotary)7|])] static partial void Attend({T}, RotaryTable rotary);", "Rotary is 7, which is not an AttentionRotary: use None, Halves or Interleaved", "" },
        { "AG0054", $"[Attention(2, 8, Rotary = AttentionRotary.Halves, [|RotaryDim = 5|])] static partial void Attend({T}, RotaryTable rotary);", "RotaryDim is 5, but must be even, because the elements form pairs: use RotaryDim = 4", "" },
        { "AG0054", $"[Attention(2, 9, [|Rotary = AttentionRotary.Halves|])] static partial void Attend({T}, RotaryTable rotary);", "All 9 elements of a head would be rotated, but they must be an even number, because they form pairs: use RotaryDim = 8", "" },
        { "AG0054", $"[Attention(2, 8, Rotary = AttentionRotary.Halves, RotaryStart = 4, [|RotaryDim = 6|])] static partial void Attend({T}, RotaryTable rotary);", "RotaryDim = 6 rotates the elements 4 to 9, but the last of a head is 7: use 4 or less", "" },
        { "AG0054", $"[Attention(2, 1024, ValueDim = 256, ValueFromKey = true, [|Rotary = AttentionRotary.Halves|], RotaryStart = 256)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output, RotaryTable rotary);", "All 768 elements of a head from 256 on would be rotated, but a table has 512 at most: use RotaryDim = 512 or less", "" },
        { "AG0054", $"[Attention(2, 8, Rotary = AttentionRotary.Halves, [|RotaryStart = 7|])] static partial void Attend({T}, RotaryTable rotary);", "RotaryStart is 7, but a head has 8 elements, and a pair needs two: use 6 or less", "" },
        { "AG0009", $"[Attention(2, 8, Rotary = AttentionRotary.Halves, [|RotaryDim = 0|])] static partial void Attend({T}, RotaryTable rotary);", "RotaryDim is 0, but must be from 2 to 512; remove it if all elements of a head are rotated", "" },
        { "AG0009", $"[Attention(2, 8, Rotary = AttentionRotary.Halves, [|RotaryStart = -1|])] static partial void Attend({T}, RotaryTable rotary);", "RotaryStart is -1, but must be from 0 to 512; remove it if the first element is rotated", "" },
        { "AG0016", $"[Attention(2, 8, Rotary = AttentionRotary.Halves)] static partial void Attend({T}, RotaryTable? [|rotary|]);", "'rotary' is 'RotaryTable?', but the role rotary needs 'RotaryTable': change its type", "" },
        { "AG0062", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<Half> key, ReadOnlySpan<BFloat16> [|value|], Span<float> output);", "'value' has elements of the type BFloat16, but 'key' of the type Half: use the same type for both", "" },
        { "AG0062", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<Half> key, ReadOnlySpan<float> [|value|], Span<float> output);", "'value' has elements of the type float, but 'key' of the type Half: use the same type for both", "" },
        { "AG0062", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<BFloat16> [|query|], ReadOnlySpan<Half> key, ReadOnlySpan<Half> value, Span<float> output);", "'query' has elements of the type BFloat16, but 'key' of the type Half: use float or Half", "" },
        { "AG0062", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<Half> [|output|]);", "'output' has elements of the type Half, but 'key' of the type float: use float", "" },
        { "AG0062", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<Half> [|query|], KeyValueCache<BFloat16> cache, Span<float> output);", "'query' has elements of the type Half, but 'cache' of the type BFloat16: use float or BFloat16", "" },
        { "AG0062", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<BFloat16> [|query|], KeyValueCache<sbyte> cache, Span<float> output);", "'query' has elements of the type BFloat16, but 'cache' of the type sbyte: use float", "" },
        { "AG0062", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, PagedKeyValueCache<sbyte> cache, ReadOnlySpan<SequenceId> sequences, Span<Half> [|output|]);", "'output' has elements of the type Half, but 'cache' of the type sbyte: use float", "" },
        { "AG0062", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<Half> [|key|], ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output);", "'key' has elements of the type Half, but 'cache' of the type sbyte: use float", "" },
        { "AG0062", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<BFloat16> [|value|], KeyValueCache<sbyte> cache, Span<float> output);", "'value' has elements of the type BFloat16, but 'cache' of the type sbyte: use float", "" },
        { "AG0063", $"[Attention(2, 8, [|Batched = true|])] static partial void Attend(ReadOnlySpan<float> query, Span<float> output, KeyValueCache<float> cache, int batch);", "Batched = true cannot be combined with the cache 'cache': a cache holds one sequence, so call the kernel once for each, or remove Batched", "" },
        { "AG0063", $"[Attention(2, 8, [|KeyLength = 64|])] static partial void Attend(ReadOnlySpan<float> query, Span<float> output, KeyValueCache<float> cache);", "KeyLength = 64 cannot be combined with the cache 'cache': the number of its keys grows from call to call, so remove KeyLength", "" },
        { "AG0063", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, Span<float> output, KeyValueCache<float> cache, ReadOnlySpan<int> [|keyLengths|]);", "'keyLengths' cannot be combined with the cache 'cache': the cache knows its length, so remove the parameter", "" },
        { "AG0063", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, Span<float> output, KeyValueCache<float> cache, ReadOnlySpan<int> [|documentStarts|]);", "'documentStarts' cannot be combined with the cache 'cache': a cache holds one sequence, so call the kernel once for each document", "" },
        { "AG0063", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, KeyValueCache<float> cache, int [|queryStart|]);", "'queryStart' cannot be combined with the cache 'cache': queries stand at the tokens that the call appends, so remove the parameter", "" },
        { "AG0064", $"[Attention(2, 8)] static partial void Attend({T}, int [|layer|]);", "'layer' selects a layer of a cache, but the kernel has none: add 'KeyValueCache<float> cache', or remove 'layer'", "" },
        { "AG0066", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<SequenceId> [|sequences|]);", "'sequences' selects sequences of a paged cache, but the kernel has no cache: add 'PagedKeyValueCache<float> cache', or remove 'sequences'", "" },
        { "AG0066", $"[Attention(2, 8)] static partial void Attend({T}, KeyValueCache<float> cache, ReadOnlySpan<SequenceId> [|sequences|]);", "'sequences' selects sequences of a paged cache, but 'cache' holds a single one: change the type of 'cache' to PagedKeyValueCache<float>, or remove 'sequences'", "" },
        { "AG0067", $"[Attention(2, 8)] static partial void Attend({T}, PagedKeyValueCache<float> [|cache|]);", "'cache' holds many sequences, but no parameter selects those of a call: add 'ReadOnlySpan<SequenceId> sequences', or use a KeyValueCache", "" },
        { "AG0063", $"[Attention(2, 8)] static partial void Attend({T}, PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, ReadOnlySpan<int> [|keyLengths|]);", "'keyLengths' cannot be combined with the cache 'cache': the cache knows its length, so remove the parameter", "" },
        { "AG0063", $"[Attention(2, 8)] static partial void Attend({T}, PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, ReadOnlySpan<int> documentStarts, ReadOnlySpan<int> [|keyDocumentStarts|]);", "'keyDocumentStarts' cannot be combined with the cache 'cache': the cache knows the lengths of its sequences, so remove the parameter", "" },
        { "AG0063", $"[Attention(2, 8, [|Batched = true|])] static partial void Attend({T}, PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, int batch);", "Batched = true cannot be combined with the cache 'cache': a batch of sequences of different lengths is one tensor with 'documentStarts', so remove Batched", "" },
        { "AG0009", $"[Attention(2, 8, WindowLeft = 4, [|FirstKeys = -1|])] static partial void Attend({T});", "FirstKeys is -1, but must be from 0 to 1048576; remove it if the window hides the first keys, too", "" },
        { "AG0009", $"[MultiHeadAttention([|0|], 2, 8)] static partial void Attend({L});", "modelDim is 0, but must be from 1 to 1048576", "" },
        { "AG0009", $"[MultiHeadAttention(16, 2, 8, [|OutputDim = -1|])] static partial void Attend({L});", "OutputDim is -1, but must be from 1 to 1048576; remove it if it equals modelDim", "" },
        { "AG0009", $"[MultiHeadAttention(16, [|0|], 8)] static partial void Attend({L});", "heads is 0, but must be from 1 to 4096", "" },
        { "AG0069", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|FirstKeys = 4|])] static partial void Attend({T});", "FirstKeys = 4 has no effect, because no window hides these keys: set WindowLeft, such as 1023, or remove FirstKeys", "" },
        { "AG0069", $"[Attention(2, 8, WindowLeft = -1, WindowRight = 3, [|FirstKeys = 1|])] static partial void Attend({T});", "FirstKeys = 1 has no effect, because no window hides these keys: set WindowLeft, such as 1023, or remove FirstKeys", "" },
        { "AG0070", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, RingKeyValueCache<float> [|cache|]);", "'cache' keeps the last tokens only, but the kernel sees all of them: set WindowLeft to the window of the ring, or use 'KeyValueCache<float>'", "" },
        { "AG0070", $"[Attention(2, 8, WindowRight = 4)] static partial void Attend(ReadOnlySpan<float> query, Span<float> output, RingKeyValueCache<Half> [|cache|]);", "'cache' keeps the last tokens only, but the kernel sees all of them: set WindowLeft to the window of the ring, or use 'KeyValueCache<Half>'", "" },
        { "AG0071", $"[Attention(8, 64, KeyValueHeads = 2)] static partial void Attend({T}, KeyValueCache<float> cache); static void Call(float[] t) {{ using var prompt = {{|#2:new KeyValueCache<float>(8, 32)|}}; Attend(t, t, t, t, [|prompt|]); }}", "'cache' has 8 heads, keys of 32 elements, values of 32 elements, but 'Attend' is declared for 2 heads, keys of 64 elements, values of 64 elements: create the cache with keyValueHeads: 2, headDim: 64, or change the attribute", "" },
        { "AG0071", $"[Attention(4, 64, KeyDim = 32, ValueDim = 32, Score = AttentionScore.General)] static partial void Attend({T}, ReadOnlySpan<float> queryKeyWeight, KeyValueCache<float> cache); static void Call(float[] t) {{ using var prompt = {{|#2:new KeyValueCache<float>(4, 64)|}}; Attend(t, t, t, t, t, [|prompt|]); }}", "'cache' has 4 heads, keys of 64 elements, values of 64 elements, but 'Attend' is declared for 4 heads, keys of 32 elements, values of 32 elements: create the cache with headDim: 32, or change the attribute", "" },
        { "AG0071", $"[Attention(8, 64)] static partial void Attend({T}, KeyValueCache<float> cache); static void Call(float[] t, int dim) => Attend(t, t, t, t, [|{{|#2:new(1, dim)|}}|]);", "'cache' has 1 head, but 'Attend' is declared for 8 heads: create the cache with keyValueHeads: 8, or change the attribute", "" },
        { "AG0071", $"[Attention(8, 64, ValueDim = 48)] static partial void Attend({T}, KeyValueCache<float> cache); static void Call(float[] t, int heads) => Attend(t, t, t, t, [|{{|#2:new(heads, 64)|}}|]);", "'cache' has keys of 64 elements, values of 64 elements, but 'Attend' is declared for keys of 64 elements, values of 48 elements: create the cache with valueDim: 48, or change the attribute", "" },
        { "AG0071", $"[Attention(4, 64, WindowLeft = 99, FirstKeys = 4)] static partial void Attend({T}, RingKeyValueCache<Half> cache); static readonly RingKeyValueCache<Half> s_ring = {{|#2:new(4, 64, window: 100, slack: 8)|}}; static void Call(float[] t) => Attend(t, t, t, t, [|s_ring|]);", "'cache' has 4 heads, keys of 64 elements, values of 64 elements, a window of 100, 0 first keys, but 'Attend' is declared for 4 heads, keys of 64 elements, values of 64 elements, a window of 99, 4 first keys: create the cache with window: 99, firstKeys: 4, or change the attribute", "" },
        { "AG0071", $"[Attention(4, 64)] static partial void Attend({T}, KeyValueCache<float> cache, int layer); static void Call(float[] t) => Attend(t, t, t, t, {{|#2:new KeyValueCache<float>(4, 64, layers: 12)|}}, [|layer: 12|]);", "'layer' is 12, but 'cache' has 12 layers: use 0 to 11, or create the cache with more layers", "" },
        { "AG0071", $"[Attention(4, 64)] static partial void Attend({T}, KeyValueCache<float> cache, int layer); static void Call(float[] t, KeyValueCache<float> cache) => Attend(t, t, t, t, cache, [|-1|]);", "'layer' is -1, but the first layer is 0: use 0 or more", "" },
        { "AG0072", $"[MultiHeadAttention(16, 2, 8)] static partial void Attend({L}, [Role(AttentionRole.Query)] ReadOnlySpan<float> [|q|]);", "'q' has the role query, which only kernels without projections have: the projections give queries, keys and values from 'input' and 'context', so remove the parameter", "" },
        { "AG0072", $"[Attention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.Residual)] ReadOnlySpan<float> [|skip|]);", "'skip' has the role residual, which only layers have: use [MultiHeadAttention], or another role", "" },
        { "AG0073", $"[MultiHeadAttention(16, 2, 8, [|Layout = AttentionLayout.HeadMajor|])] static partial void Attend({L});", "Layout = AttentionLayout.HeadMajor has no effect on a layer, whose queries, keys and values lie in its own memory: remove it", "" },
        { "AG0073", $"[MultiHeadAttention(16, 2, 8, [|KeyStride = 48|])] static partial void Attend({L});", "KeyStride = 48 has no effect on a layer, whose queries, keys and values lie in its own memory: remove it", "" },
        { "AG0074", $"[Attention(2, 8), [|MultiHeadAttention(16, 2, 8)|]] static partial void Attend({L});", "'Attend' has both [Attention] and [MultiHeadAttention]: remove one of them", "" },
        { "AG0075", $"[MultiHeadAttention(16, 2, 8, [|ContextDim = 32|])] static partial void Attend({L});", "ContextDim = 32 has no effect, because keys and values come from the input: add 'ReadOnlySpan<float> context', or remove ContextDim", "" },
        { "AG0076", $"[Attention(4, 8, ValueFromKey = true)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> [|value|], Span<float> output);", "'value' cannot be combined with ValueFromKey: the value is a part of the key, so remove the parameter", "" },
        { "AG0076", $"[Attention(4, 8, ValueFromKey = true, [|ValueStride = 64|])] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output);", "ValueStride = 64 cannot be combined with ValueFromKey: values have the stride of the keys, so remove it", "" },
        { "AG0076", $"[Attention(4, 8, ValueFromKey = true, [|QueryKeyNorm = AttentionNorm.Rms|])] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output);", "QueryKeyNorm = Rms cannot be combined with ValueFromKey: the norm of a key would be one of its value, too, so remove it, and normalise keys with RmsNorm before the call", "" },
        { "AG0076", $"[Attention(4, 80, ValueDim = 64, ValueFromKey = true, [|Rotary = AttentionRotary.Halves|], RotaryDim = 16)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output, RotaryTable rotary);", "The rotation of the elements 0 to 15 cannot be combined with ValueFromKey: the elements 0 to 63 of a key are the value, which must not turn with the position, so set RotaryStart = 64", "" },
        { "AG0076", $"[Attention(4, 80, ValueDim = 64, ValueFromKey = true, Rotary = AttentionRotary.Halves, [|RotaryStart = 50|])] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output, RotaryTable rotary);", "The rotation of the elements 50 to 79 cannot be combined with ValueFromKey: the elements 0 to 63 of a key are the value, which must not turn with the position, so set RotaryStart = 64 and RotaryDim = 16", "" },
        { "AG0076", $"[Attention(4, 80, ValueFromKey = true, [|Rotary = AttentionRotary.Interleaved|])] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output, RotaryTable rotary);", "The rotation of the elements 0 to 79 cannot be combined with ValueFromKey: the elements 0 to 79 of a key are the value, which must not turn with the position, so use a ValueDim of 78 or less and a RotaryStart behind it", "" },
        { "AG0076", $"[MultiHeadAttention(16, 2, 8, [|ValueFromKey = true|])] static partial void Attend({L});", "[MultiHeadAttention] cannot be combined with ValueFromKey: a layer projects values of its own, so remove ValueFromKey, or use [Attention]", "" },
        { "AG0076", $"[Attention(2, 64, KeyDim = 32, Score = AttentionScore.General, [|ValueFromKey = true|])] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> queryKeyWeight, Span<float> output);", "A value of headDim = 64 elements cannot be combined with ValueFromKey: a key has KeyDim = 32, so set ValueDim = 32 or less", "" },
        { "AG0077", $"[Attention(2, 8, [|Score = (AttentionScore)7|])] static partial void Attend({T});", "Score is 7, which is not an AttentionScore: use Dot, General or Additive", "" },
        { "AG0078", $"[Attention(2, 8, Score = AttentionScore.Additive, [|QueryKeyNorm = AttentionNorm.L2|])] static partial void Attend({T}, ReadOnlySpan<float> scoreVector);", "QueryKeyNorm = L2 cannot be combined with Score = Additive: the norms are factors of a dot product, so remove it, and normalise queries and keys with RmsNorm before the call", "" },
        { "AG0078", $"[Attention(2, 8, Score = AttentionScore.General, [|Rotary = AttentionRotary.Halves|])] static partial void Attend({T}, ReadOnlySpan<float> queryKeyWeight, RotaryTable rotary);", "Rotary = Halves cannot be combined with Score = General: only a dot product of rotated rows depends on the distance of their positions alone, so remove it", "" },
        { "AG0078", $"[MultiHeadAttention(16, 2, 8, [|Score = AttentionScore.General|])] static partial void Attend({L});", "[MultiHeadAttention] cannot be combined with Score = General: a layer projects queries and keys for dot products, so remove Score, or use [Attention]", "" },
        { "AG0079", $"[Attention(2, 8, [|Score = AttentionScore.General|])] static partial void Attend({T});", "Score = General needs the matrices between queries and keys, but no parameter gives them: add 'ReadOnlySpan<float> queryKeyWeight'", "" },
        { "AG0079", $"[Attention(2, 8, [|Score = AttentionScore.Additive|])] static partial void Attend({T});", "Score = Additive needs the factors of the hyperbolic tangents, but no parameter gives them: add 'ReadOnlySpan<float> scoreVector'", "" },
        { "AG0080", $"[LinearAttention(2, 8, Rule = LinearAttentionRule.Delta)] static partial void Attend({T}, ReadOnlySpan<float> [|decay|], ReadOnlySpan<float> beta);", "'decay' has no effect, because the rule Delta does not read it: use Rule = LinearAttentionRule.Gated or GatedDelta, or remove the parameter", "" },
        { "AG0080", $"[LinearAttention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<float> [|beta|]);", "'beta' has no effect, because there is no rule: use Rule = LinearAttentionRule.Delta or GatedDelta, or remove the parameter", "" },
        { "AG0080", $"[LinearAttention(2, 8)] static partial void Attend({T}, Span<float> [|state|]);", "'state' has no effect, because every query attends to all keys of its own call: use a rule or Mask = AttentionMask.Causal, or remove the parameter", "" },
        { "AG0080", $"[LinearAttention(2, 8, Rule = LinearAttentionRule.Linear)] static partial void Attend({T}, Span<float> state, Span<float> [|normalizer|]);", "'normalizer' has no effect, because outputs are not normalised: use Normalize = true, or remove the parameter", "" },
        { "AG0080", $"[LinearAttention(2, 8, Normalize = true)] static partial void Attend({T}, Span<float> [|normalizer|]);", "'normalizer' has no effect, because every query attends to all keys of its own call: use a rule or Mask = AttentionMask.Causal, or remove the parameter", "" },
        { "AG0081", $"[LinearAttention(2, 8, [|Rule = (LinearAttentionRule)9|])] static partial void Attend({T});", "Rule is 9, but must be LinearAttentionRule.None or LinearAttentionRule.Linear or LinearAttentionRule.Gated or LinearAttentionRule.Delta or LinearAttentionRule.GatedDelta", "" },
        { "AG0081", $"[LinearAttention(2, 8, [|FeatureMap = (LinearAttentionFeatureMap)(-1)|])] static partial void Attend({T});", "FeatureMap is -1, but must be LinearAttentionFeatureMap.None or LinearAttentionFeatureMap.EluPlusOne or LinearAttentionFeatureMap.Relu or LinearAttentionFeatureMap.SoftmaxFeature", "" },
        { "AG0082", $"[LinearAttention(2, 8, Normalize = true, [|Scale = 0.5f|])] static partial void Attend({T});", "Normalize = true excludes Scale = 0.5, because the factor would cancel: remove one of the two", "" },
        { "AG0082", $"[LinearAttention(2, 8, Rule = LinearAttentionRule.Delta, [|Normalize = true|])] static partial void Attend({T}, ReadOnlySpan<float> beta);", "Normalize = true excludes Rule = LinearAttentionRule.Delta, because a corrected state is no sum of weighted values: remove one of the two", "" },
        { "AG0083", $"[LinearAttention(2, 8, Mask = AttentionMask.Causal, Normalize = true)] static partial void Attend({T}, Span<float> [|state|]);", "'state' needs 'normalizer', because with Normalize = true a call goes on from both: add 'Span<float> normalizer'", "" },
        { "AG0072", $"[LinearAttention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.KeyLengths)] ReadOnlySpan<int> [|lengths|]);", "'lengths' has the role keyLengths, which only kernels with scores have: give the sequences without padding one after the other, and 'ReadOnlySpan<int> documentStarts'", "" },
        { "AG0072", $"[LinearAttention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.Bias)] ReadOnlySpan<float> [|bias|]);", "'bias' has the role bias, which only kernels with scores have: use [Attention], or remove the parameter", "" },
        { "AG0072", $"[LinearAttention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.Input)] ReadOnlySpan<float> [|rows|]);", "'rows' has the role input, which only layers have: project the rows before the call", "" },
        { "AG0072", $"[Attention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.State)] Span<float> [|s|]);", "'s' has the role state, which only kernels of linear attention have: use [LinearAttention], or another role", "" },
        { "AG0074", $"[Attention(2, 8), [|LinearAttention(2, 8)|]] static partial void Attend({T});", "'Attend' has both [Attention] and [LinearAttention]: remove one of them", "" },
        { "AG0025", $"[LinearAttention(2, 8, Rule = LinearAttentionRule.Delta, [|BetaAxes = AttentionAxes.HeadDim|])] static partial void Attend({T}, ReadOnlySpan<float> beta);", "BetaAxes is HeadDim, but must not contain HeadDim: use Key, Head", "" },
        { "AG0026", $"[LinearAttention(2, 8, Rule = LinearAttentionRule.Linear, [|DecayAxes = AttentionAxes.Head|])] static partial void Attend({T});", "DecayAxes has no effect without the parameter decay: add 'ReadOnlySpan<float> decay', or remove DecayAxes", "" },
        { "AG0093", $"[Attention(2, 8, [|KeyDim = 16|])] static partial void Attend({T});", "KeyDim = 16 belongs to Score = General: set it, or remove KeyDim = 16", "" },
        { "AG0093", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|scoreVector|]);", "'scoreVector' belongs to Score = Additive: set it, or remove 'scoreVector'", "" },
        { "AG0098", $"[Attention(2, 8, [|Selection = (AttentionSelection)7|])] static partial void Attend({T});", "Selection is 7, which is not an AttentionSelection: use Softmax or Hard", "" },
        { "AG0099", $"[Attention(2, 8, Selection = AttentionSelection.Hard)] static partial void Attend({T}, Span<float> [|logSumExp|], Span<int> argmax);", "'logSumExp' needs the weights of a softmax, but with Selection = Hard a row has the value of one key: remove it, or use Selection = Softmax", "" },
        { "AG0099", $"[Attention(2, 8, Selection = AttentionSelection.Hard)] static partial void Attend({T}, ReadOnlySpan<float> [|sinks|]);", "'sinks' needs the weights of a softmax, but with Selection = Hard a row has the value of one key: remove it, or use Selection = Softmax", "" },
        { "AG0099", $"[Attention(2, 8, Selection = AttentionSelection.Hard)] static partial void Attend({T}, Span<float> [|scores|]);", "'scores' needs the weights of a softmax, but with Selection = Hard a row has the value of one key: use ScoresStage = AttentionStage.Masked for the scores, or the parameter argmax for the key", "" },
        { "AG0016", $"[Attention(2, 8, WindowLeft = 4)] static partial void Attend({T}, float [|cache|]);", "'cache' is 'float', but the role cache needs 'KeyValueCache<float>' or 'RingKeyValueCache<float>' or 'PagedKeyValueCache<float>', or the same of Half, BFloat16 or sbyte: change its type", "" },
        { "AG0016", "[MultiHeadAttention(16, 2, 8)] static partial void Attend(ReadOnlySpan<float> input, AttentionWeights<float> weights, System.Numerics.Tensors.TensorSpan<float> [|output|]);", "'output' is 'TensorSpan<float>', but the role output needs 'Span<float>': change its type", "" },
        { "AG0016", "[MultiHeadAttention(16, 2, 8)] static partial void Attend(ReadOnlySpan<float> input, AttentionLinear<float> [|weights|], Span<float> output);", "'weights' is 'AttentionLinear<float>', but the role weights needs 'AttentionWeights<float>', or the same of BFloat16 or sbyte: change its type", "" },
        { "AG0101", $"[Attention(2, 8, Rotary = AttentionRotary.Halves, Batched = true)] static partial void Attend({T}, RotaryTable rotary, int batch, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item is at its last visible key, which is wrong for a padded prefill: add 'int queryStart' and pass 0 for a prefill, set QueryLength = 1 for decode, or suppress this if the queries follow the keys of a cache", "" },
        { "AG0101", $"[Attention(2, 8, Mask = AttentionMask.Causal, Batched = true)] static partial void Attend({T}, int batch, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item is at its last visible key, which is wrong for a padded prefill: add 'int queryStart' and pass 0 for a prefill, set QueryLength = 1 for decode, or suppress this if the queries follow the keys of a cache", "" },
        { "AG0101", $"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 2, KeyLength = 2)] static partial void Attend({T}, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item is at its last visible key, which is wrong for a padded prefill: add 'int queryStart' and pass 0 for a prefill, set QueryLength = 1 for decode, or suppress this if the queries follow the keys of a cache", "" },
        { "AG0101", $"[Attention(2, 8, WindowLeft = 3)] static partial void Attend({T}, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item is at its last visible key, which is wrong for a padded prefill: add 'int queryStart' and pass 0 for a prefill, set QueryLength = 1 for decode, or suppress this if the queries follow the keys of a cache", "" },
        { "AG0101", $"[Attention(2, 8, WindowRight = 3, QueryLength = 5)] static partial void Attend({T}, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item is at its last visible key, which is wrong for a padded prefill: add 'int queryStart' and pass 0 for a prefill, set QueryLength = 1 for decode, or suppress this if the queries follow the keys of a cache", "" },
        { "AG0103", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|QueryLength = 128|], KeyLength = 100)] static partial void Attend({T});", "With QueryLength = 128, KeyLength = 100 and no start, the last query is at the last key, so that the first 28 queries cannot see a key: add 'int queryStart' and pass 0 if the first query is at the first key, or suppress this if an output of zeros is intended", "" },
        { "AG0103", $"[Attention(2, 8, Mask = AttentionMask.Causal, KeyLength = 1, [|QueryLength = 2|])] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);", "With QueryLength = 2, KeyLength = 1 and no start, the last query is at the last key, so that the first query cannot see a key: add 'int queryStart' and pass 0 if the first query is at the first key, or suppress this if an output of zeros is intended", "" },
        { "AG0103", $"[Attention(2, 8, WindowRight = 5, [|QueryLength = 128|], KeyLength = 100)] static partial void Attend({T});", "With QueryLength = 128, KeyLength = 100, WindowRight = 5 and no start, the last query is at the last key, so that the first 23 queries cannot see a key: add 'int queryStart' and pass 0 if the first query is at the first key, or suppress this if an output of zeros is intended", "" },
        { "AG0103", $"[Attention(2, 8, WindowLeft = 2, WindowRight = 0, [|QueryLength = 6|], KeyLength = 5)] static partial void Attend({T});", "With QueryLength = 6, KeyLength = 5 and no start, the last query is at the last key, so that the first query cannot see a key: add 'int queryStart' and pass 0 if the first query is at the first key, or suppress this if an output of zeros is intended", "" },
        { "AG0104", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|WindowRight = 3|])] static partial void Attend({T}, int queryStart);", "WindowRight = 3 hides no key, because the causal mask already hides the keys after a query: remove one of the two", "" },
        { "AG0104", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|WindowLeft = 9|], KeyLength = 10)] static partial void Attend({T});", "WindowLeft = 9 hides no key, because no key is more than 9 positions before a query: use less than 9, or remove it", "" },
        { "AG0104", $"[Attention(2, 8, [|WindowLeft = 1048575|], KeyLength = 10)] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);", "WindowLeft = 1048575 hides no key, because no key is more than 9 positions before a query: use less than 9, or remove it", "" },
        { "AG0104", $"[Attention(2, 8, [|WindowLeft = 0|], KeyLength = 1)] static partial void Attend({T});", "WindowLeft = 0 hides no key, because there is only one key: remove it", "" },
        { "AG0104", $"[Attention(2, 8, [|WindowRight = 15|], QueryLength = 16)] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);", "WindowRight = 15 hides no key, because no key is more than 15 positions after a query: use less than 15, or remove it", "" },
        { "AG0104", $"[Attention(2, 8, WindowLeft = 3, [|WindowRight = 0|], QueryLength = 1)] static partial void Attend({T});", "WindowRight = 0 hides no key, because the query is at the last key: remove it", "" },
        { "AG0105", $"[Attention(2, 8, [|MaskMethod = nameof(Never)|])] static partial void Attend({T}); static bool Never(int query, int key) => key < query && key > query;", "Every output is 0, because the mask method never returns true: change the mask method so that it shows some keys", "" },
        { "AG0105", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|MaskMethod = nameof(After)|])] static partial void Attend({T}); static bool After(int query, int key) => key > query;", "Every output is 0, because the mask or the window of the attribute hides all keys that the mask method shows: change the mask method so that it shows some keys", "" },
    };

    [Theory, MemberData(nameof(Cases))]
    public async Task A_wrong_declaration_is_one_diagnostic(string id, string source, string message, string compilerErrors)
    {
        var ours = new DiagnosticResult(Rules.All.Single(rule => rule.Id == id)).WithLocation(0).WithMessage(message); // as text of sv-SE
        if (source.Contains("{|#2:", StringComparison.Ordinal)) ours = ours.WithLocation(2); // where the cache of a call was created
        var compilers = compilerErrors.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(error => DiagnosticResult.CompilerError(error).WithLocation(1));
        await new BuildTest(new Project(Whole(source)) { AllowUnsafe = true, NoWarn = ["CS0169", "CS0414"] }, [ours, .. compilers]).RunAsync();
    }

    [Fact]
    public void Every_rule_is_provoked() =>
        Assert.Equal(Rules.All.Select(rule => rule.Id).Except(["AG0060", "AG0102"]), Cases.Select(row => row.Data.Item1).Distinct());

    [Theory]
    [InlineData("#pragma warning disable")]
    [InlineData("#pragma warning disable AG0009")]
    [InlineData("NoWarn")]
    [InlineData(".editorconfig")]
    public async Task An_error_cannot_be_turned_off(string by)
    {
        var project = new Project($"{(by[0] == '#' ? by : "")}\npartial class Llama {{ [AttentionGen.Attention(2, 0)] static partial void Attend({T}); }}")
        {
            NoWarn = by == "NoWarn" ? ["AG0009"] : [], SeverityNone = by == ".editorconfig" ? ["AG0009"] : [],
        };
        var error = Assert.Single(await project.Generate().BuildAsync());
        Assert.Equal(("AG0009", DiagnosticSeverity.Error), (error.Id, error.Severity));
    }

    /// <summary>The attribute works on errors, too, even on those that cannot be configured; the compiler takes over.</summary>
    [Theory]
    [InlineData("[assembly: Hide] partial class Llama {", "Hide", "")]
    [InlineData("[module: Hide] partial class Llama {", "Hide", "")]
    [InlineData("[Hide] partial class Llama {", "Hide", "")]
    [InlineData("partial class Llama { [Hide]", "Hide", ":A number is out of range")]
    public async Task An_error_that_an_attribute_hides_is_one_of_the_compiler(string head, string hide, string title)
    {
        string attribute = $"System.Diagnostics.CodeAnalysis.SuppressMessage(\"AttentionGen\", \"AG0009{title}\")";
        var error = Assert.Single(await new Project($"{head.Replace(hide, attribute)} [AttentionGen.Attention(2, 0)] static partial void Attend({T}); }}").Generate().BuildAsync());
        Assert.Equal(("CS1029", DiagnosticSeverity.Error), (error.Id, error.Severity));
        Assert.Contains("Llama.Attend: AG0009: headDim is 0, but must be from 1 to 512", error.GetMessage(null), StringComparison.Ordinal);
    }

    [Fact]
    public void No_error_of_a_declaration_can_be_configured() =>
        Assert.All(Rules.All, rule => Assert.Equal(rule.DefaultSeverity == DiagnosticSeverity.Error && !Rules.OfCalls.Contains(rule), rule.CustomTags.Contains(WellKnownDiagnosticTags.NotConfigurable)));

    [Theory]
    [InlineData("AttentionGenSkipsAnalyzers", "true", true)]
    [InlineData("AttentionGenSkipsAnalyzers", "True", true)]
    [InlineData("AttentionGenSkipsAnalyzers", "false", false)]
    [InlineData("AttentionGenSkipsAnalyzers", "", false)]
    [InlineData("RunAnalyzers", "false", false)] // the build files say it, by all of the compiler's conditions
    public void A_build_without_analyzers_fails_all_the_same(string property, string value, bool compilerReports)
    {
        var project = new Project($"partial class Llama {{ [AttentionGen.Attention(2, 0)] static partial void Attend({T}); }}") { Properties = new() { ["build_property." + property] = value } };
        var errors = project.Generate().Output.GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity != DiagnosticSeverity.Hidden);
        Assert.Equal(compilerReports ? ["#error: 'Llama.Attend: AG0009: headDim is 0, but must be from 1 to 512'"] : [], errors.Select(d => d.GetMessage(null)));
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_build_without_analyzers_reports_the_same_message(string id, string source, string message, string compilerErrors)
    {
        var project = new Project(Unmarked(source)) { AllowUnsafe = true, Properties = new() { [Syntax.AnalyzerSwitch.Property] = "true" } };
        var found = project.Generate().Output.GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity == DiagnosticSeverity.Error).ToList();
        Assert.Equal(compilerErrors.Split(' ', StringSplitOptions.RemoveEmptyEntries), found.Where(d => d.Id != "CS1029").Select(d => d.Id).Distinct().Order());
        Assert.Equal(IsError(id) && !Rules.OfCalls.Any(rule => rule.Id == id) ? 1 : 0, found.Count(d => d.Id == "CS1029" && d.GetMessage(null).EndsWith($"{id}: {message}'", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData($"[Attention(2, 8)] public static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8)] public static partial void Attend({T}); public static void Attend() {{ }}")]
    [InlineData($"[Attention(2, 8, RelativeBuckets = 32, Scale = 1f)] static partial void Attend({T}, ReadOnlySpan<float> relativeBias, int queryStart);")]
    [InlineData($"[Attention(2, 8, RelativeBuckets = 3, RelativeMaxDistance = 2, RelativeBidirectional = false)] static partial void Attend({T}, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales);")]
    [InlineData($"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}, ReadOnlySpan<int> segment, ReadOnlySpan<int> queryStarts); static bool Visible(int query, int key, int batch, ReadOnlySpan<int> segment, ReadOnlySpan<int> queryStarts) => segment[query] == segment[key] && key >= queryStarts[batch];")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, Batched = true)] static partial void Attend({T}, int batch, int queryStart, ReadOnlySpan<int> keyLengths);")]
    [InlineData($"[Attention(4096, 512, KeyValueHeads = 1, ValueDim = 512, Isas = AttentionIsas.Portable)] static partial void Attend({T});")]
    [InlineData($"[Attention(12, 64, QueryStride = 2304, KeyStride = 2304, ValueStride = 2304, OutputStride = 768)] static partial void Attend({T});")]
    [InlineData($"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 32, QueryStride = 768, KeyStride = 256, ValueStride = 128, OutputStride = 384)] static partial void Attend({T});")]
    [InlineData($"[Attention(12, 64, ValueDim = 32, Layout = AttentionLayout.HeadMajor, QueryStride = 64, KeyStride = 64, ValueStride = 32, OutputStride = 32)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, QueryLength = 1, KeyLength = 1048576)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 1)] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 8, KeyLength = 8)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 8)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 8, KeyLength = 4)] static partial void Attend({T}, int queryStart);")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 8, KeyLength = 4)] static partial void Attend({T}, ReadOnlySpan<int> queryStarts);")]
    [InlineData($"[Attention(2, 8, QueryLength = 8, KeyLength = 4)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowLeft = 0, WindowRight = 1048575)] static partial void Attend({T}, int queryStart);")]
    [InlineData($"[Attention(2, 8, WindowLeft = -1, WindowRight = -1)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, WindowLeft = 8, WindowRight = 0)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowLeft = 8, KeyLength = 10)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowLeft = 9, KeyLength = 10)] static partial void Attend({T}, int queryStart);")]
    [InlineData($"[Attention(2, 8, WindowRight = 14, QueryLength = 16)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowRight = 15, QueryLength = 16)] static partial void Attend({T}, ReadOnlySpan<int> queryStarts);")]
    [InlineData($"[Attention(2, 8, WindowRight = 15, KeyLength = 10)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowRight = 28, QueryLength = 128, KeyLength = 100)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowLeft = 28, QueryLength = 128, KeyLength = 100)] static partial void Attend({T});")]
    [InlineData($"[Attention(2, 8, WindowLeft = 3, QueryLength = 1)] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal, PrefixLength = 0, ChunkLength = 64, Dilation = 1)] static partial void Attend({T}, int queryStart);")]
    [InlineData($"[Attention(2, 8, ChunkLength = 64)] static partial void Attend({T}, int queryStart);")]
    [InlineData($"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<int> documentStarts, ReadOnlySpan<int> keyDocumentStarts, ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> prefixLengths);")]
    [InlineData($"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64, BlockAxes = AttentionAxes.Head | AttentionAxes.Query)] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);")]
    [InlineData("static void NoKernel(float[] query) { } static int P { get; set; }")]
    public async Task A_valid_declaration_reports_nothing(string members) => Assert.Empty(await new Project(Whole(members)).Generate().BuildAsync());

    [Theory]
    [InlineData($"[Attention(2, 8)] static partial void Attend({TensorSpans});")]
    [InlineData($"[Attention(2, 8, Batched = true)] static partial void Attend({TensorSpans});")]
    [InlineData($"[Attention(2, 8, Batched = true)] static partial void Attend({TensorSpans}, int batch);")]
    [InlineData($"[Attention(2, 8, Batched = true)] static partial void Attend({S} query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch);")]
    [InlineData($"[Attention(2, 8)] static partial void Attend(in {TensorSpans});")]
    [InlineData($"[Attention(2, 8)] static partial void Attend(scoped {TensorSpans}, [Role(AttentionRole.MaxThreads)] int threads);")]
    public async Task Tensors_may_bring_their_shapes(string members) => Assert.Empty(await new Project(Whole(members)).Generate().BuildAsync());

    [Theory]
    [InlineData($"[[|Attention(2, 8)|]] public static partial void Attend({T});", "AG0102", DiagnosticSeverity.Warning)]
    [InlineData($"[Attention(2, [|0|])] public static partial void Attend({T});", "AG0009", DiagnosticSeverity.Error)]
    public async Task A_debug_build_says_that_kernels_are_slow_in_it(string members, string id, DiagnosticSeverity severity)
    {
        const string Slow = "This build is not optimised, which makes 'Attend' 10 to 24 times slower: build with -c Release, or set <Optimize>true</Optimize> in the project that declares kernels";
        var expected = new DiagnosticResult(id, severity).WithLocation(0);
        await new BuildTest(new Project(Whole(members)) { IsDebug = true }, id == "AG0102" ? expected.WithMessage(Slow) : expected).RunAsync();
    }

    [Theory]
    [InlineData("[Attention(Heads(), 8)]", "CS0182")]
    [InlineData("[Attention(2, 8, Scale = 0.5)]", "CS0664")]
    [InlineData("[Attention(2, 8, Scale = Text)]", "CS0029")]
    [InlineData("[Attention(2)]", "CS7036")]
    [InlineData("[Attention]", "CS7036")]
    [InlineData("[Attention(2, 8, Window = 3)]", "CS0246")]
    [InlineData("[Attention(2, 8, 3)]", "CS1729")]
    [InlineData("[Attention(2, \"8\")]", "CS1503")]
    [InlineData("[Attention(2, 8), Attention(2, 8)]", "CS0579")]
    public async Task What_is_no_C_sharp_is_left_to_the_compiler(string attribute, string error)
    {
        string source = Whole($"static int Heads() => 2; const string Text = \"\"; {attribute} public static partial void Attend({T});");
        Assert.Equal([error], (await new Project(source).Generate().BuildAsync()).Select(d => d.Id));
    }

    [Theory]
    [InlineData("[Attention(2, 8)] public static partial void Attend(ReadonlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);")]
    [InlineData("[Attention(2, 8)] public static partial void Attend(ReadOnlySpan<flaot> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);")]
    [InlineData($"[Attention(2, 8)] public static partial Tensor Attend({T});")]
    [InlineData($"[Attention(2, 8)] public static partial void Attend({T}, Foo[] maxThreads);")]
    public async Task A_type_that_the_compiler_does_not_know_is_left_to_it(string members) =>
        Assert.Equal(["CS0246", "CS8795"], (await new Project(Whole(members)).Generate().BuildAsync()).Select(d => d.Id).Order());

    [Fact]
    public async Task A_repeated_declaration_is_left_to_the_compiler_and_takes_no_other_kernel_away()
    {
        var run = new Project(Whole($"[Attention(2, 8)] static partial void Attend({T}); [Attention(2, 8)] static partial void Attend({T}); [Attention(2, 9)] static partial void Other({T});")).Generate();
        Assert.Equal(["CS0111", "CS0756"], (await run.BuildAsync()).Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.Id).Distinct().Order());
        Assert.Contains("Llama.Other.g.cs", run.Sources.Keys);
    }

    [Fact]
    public async Task Declarations_in_error_that_differ_little_are_told_apart()
    {
        var run = new Project(Whole("""
            [Attention(2, 8)] static partial void Attend(int x); [Attention(2, 8)] static partial void Attend(ref int x); [Attention(2, 8)] static partial void Attend<T>(int x);
            [Attention(2, 8)] static partial void attend(int x); partial class A<T> { [Attention(2, 8)] static partial void Attend(int x); } partial class A { [Attention(2, 8)] static partial void Attend(int x); }
            """)).Generate();
        Assert.Equal(6, run.Sources.Count);
        Assert.DoesNotContain(await run.BuildAsync(), d => d.Id.StartsWith("CS", StringComparison.Ordinal) && d.Severity == DiagnosticSeverity.Error);
    }

    [Fact]
    public Task Two_mistakes_are_two_errors() => new BuildTest(new Project(Whole($"[Attention(2, {{|AG0009:0|}})] static partial void Attend({T}, int {{|AG0018:batch|}});"))).RunAsync();

    [Fact]
    public void The_table_of_roles_stands_in_messages() => Assert.Equal(Roles, RoleTable.Text(OperandUse.Kernel));

    private static bool IsError(string id) => Rules.All.Single(rule => rule.Id == id).DefaultSeverity == DiagnosticSeverity.Error;

    /// <summary>The whole source, without the marks.</summary>
    internal static string Unmarked(string source)
    {
        TestFileMarkupParser.GetSpan(Whole(source), out string unmarked, out _);
        return unmarked;
    }

    internal static string Whole(string source) =>
        source.StartsWith('|') ? $"using AttentionGen;\n#pragma warning disable CS1591\n{source[1..]}" : $"using AttentionGen;\n#pragma warning disable CS1591\npublic partial class Llama\n{{\n{source}\n}}";
}
