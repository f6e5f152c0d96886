using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
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
    private const string Roles =
        "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int queryStart, "
        + "ReadOnlySpan<int> queryStarts, ReadOnlySpan<int> keyLengths, int maxThreads, Span<byte> scratch, "
        + "ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> slopes, ReadOnlySpan<float> sinks, Span<float> logSumExp, "
        + "int prefixLength, ReadOnlySpan<int> prefixLengths, ReadOnlySpan<int> documentStarts, ReadOnlySpan<int> keyDocumentStarts, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, "
        + "ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, Span<float> scores, "
        + "Span<float> maxScore, Span<float> entropy, Span<int> argmax, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight; "
        + "query, key and value may also be ReadOnlyTensorSpan<float>, output TensorSpan<float>";

    /// <summary>Id; members of a partial class Llama, or whole source where it begins with a bar; message; errors of the compiler that nobody can avoid, at the place <c>#1</c>.</summary>
    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "AG0001", $"[Attention(2, 8)] public static void [|Attend|]({T}) {{ }}", "'Attend' must be a partial method without a body, so that its kernel can be generated: write 'public static partial void Attend(...);'", "" },
        { "AG0001", $"[Attention(2, 8)] void [|Attend|]({T}) => throw null!;", "'Attend' must be a partial method without a body, so that its kernel can be generated: write 'partial void Attend(...);'", "" },
        { "AG0001", $"[Attention(2, 8)] public static void {{|#1:[|Attend|]|}}({T});", "'Attend' must be a partial method without a body, so that its kernel can be generated: write 'public static partial void Attend(...);'", "CS0501" },
        { "AG0001", $"[Attention(2, 8)] internal static extern void [|Attend|]({T});", "'Attend' must be a partial method without a body, so that its kernel can be generated: write 'internal static partial void Attend(...);'", "" },
        { "AG0002", $"[Attention(2, 8)] static partial void [|Attend|]({T}); static partial void Attend({T}) {{ }}", "'Attend' has a body already, and the kernel is to be its body: leave only 'static partial void Attend(...);', or take the [Attention] attribute off", "" },
        { "AG0002", $"static partial void [|Attend|]({T}); [Attention(2, 8)] static partial void Attend({T}) {{ }}", "'Attend' has a body already, and the kernel is to be its body: leave only 'static partial void Attend(...);', or take the [Attention] attribute off", "" },
        { "AG0002", $"[Attention(2, 8)] static partial void [|Attend|]({T}) {{ }}", "'Attend' has a body already, and the kernel is to be its body: leave only 'static partial void Attend(...);', or take the [Attention] attribute off", "" },
        { "AG0002", $"[Attention(2, 8)] public static extern partial void [|Attend|]({T});", "'Attend' has a body already, and the kernel is to be its body: leave only 'public static partial void Attend(...);', or take the [Attention] attribute off", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|float[]|] Attend({T});", "'Attend' returns 'float[]', a kernel returns void: its results go to the parameter 'Span<float> output'", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|Span<float>|] Attend({T});", "'Attend' returns 'Span<float>', a kernel returns void: its results go to the parameter 'Span<float> output'", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|ref int|] Attend({T});", "'Attend' returns 'ref int', a kernel returns void: its results go to the parameter 'Span<float> output'", "" },
        { "AG0003", $"[Attention(2, 8)] public static partial [|System.Threading.Tasks.Task<string?>|] Attend({T});", "'Attend' returns 'Threading.Tasks.Task<string?>', a kernel returns void: its results go to the parameter 'Span<float> output'", "" },
        { "AG0004", $"[Attention(2, 8)] public static partial void [|Attend|]<T>({T});", "'Attend' is generic, a kernel is generated for one shape and float elements: take the type parameters off", "" },
        { "AG0004", $"[Attention(2, 8)] public static partial void [|Attend|]<T, @class>({T}) where T : IEnumerable<@class>, new() where @class : class?;", "'Attend' is generic, a kernel is generated for one shape and float elements: take the type parameters off", "" },
        { "AG0004", $"[Attention(2, 8)] public static partial void [|Attend|]<T>({T}) where T : unmanaged, IComparable<T>;", "'Attend' is generic, a kernel is generated for one shape and float elements: take the type parameters off", "" },
        { "AG0005", $"|static class [|Kernels|] {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }}", "The type 'Kernels' that contains 'Attend' must be partial, so that the kernel can be added to it: write 'partial class Kernels'", "CS0751 CS8795" },
        { "AG0005", $"|struct [|Outer|] {{ partial class Inner {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }} }}", "The type 'Outer' that contains 'Attend' must be partial, so that the kernel can be added to it: write 'partial struct Outer'", "CS8795" },
        { "AG0005", $"|partial class Outer {{ record struct [|Inner|] {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }} }}", "The type 'Inner' that contains 'Attend' must be partial, so that the kernel can be added to it: write 'partial record struct Inner'", "CS0751 CS8795" },
        { "AG0006", $"|partial class [|Kernels|]<T> {{ [Attention(2, 8)] public static partial void Attend({T}); }}", "The type 'Kernels' that contains 'Attend' is generic: declare the kernel in a type that is not", "" },
        { "AG0006", $"|partial class [|Outer|]<T, @in> where T : class {{ partial struct Inner {{ [Attention(2, 8)] public static partial void Attend({T}); }} }}", "The type 'Outer' that contains 'Attend' is generic: declare the kernel in a type that is not", "" },
        { "AG0007", $"|file static partial class [|Kernels|] {{ [Attention(2, 8)] public static partial void {{|#1:Attend|}}({T}); }}", "The type 'Kernels' that contains 'Attend' is file-local and cannot be added to from a generated file: make it internal", "CS8795" },
        { "AG0008", $"|partial interface [|IKernels|] {{ [Attention(2, 8)] static partial void Attend({T}); }}", "'Attend' stands in the interface 'IKernels': declare the kernel in a class or a struct", "" },
        { "AG0008", $"|partial interface [|IKernels|]<out X> {{ [Attention(2, 8)] public static partial void Attend({T}); }}", "'Attend' stands in the interface 'IKernels': declare the kernel in a class or a struct", "" },
        { "AG0009", $"[Attention([|0|], 8)] static partial void Attend({T});", "heads is 0, it must be from 1 to 4096", "" },
        { "AG0009", $"[Attention([|heads: 5000|], headDim: 8)] static partial void Attend({T});", "heads is 5000, it must be from 1 to 4096: did you mean 625 = 5000 / 8, as many heads of headDim elements, where headDim is 8?", "" },
        { "AG0009", $"[Attention(headDim: 8, [|heads: -1|], Scale = 1f)] static partial void Attend({T});", "heads is -1, it must be from 1 to 4096", "" },
        { "AG0009", $"[Attention(2, [|513|])] static partial void Attend({T});", "headDim is 513, it must be from 1 to 512", "" },
        { "AG0009", $"const int Dim = -8; [Attention(2, [|Dim * 2|])] static partial void Attend({T});", "headDim is -16, it must be from 1 to 512", "" },
        { "AG0009", $"[Attention(2, 8, [|KeyValueHeads = 0|])] static partial void Attend({T});", "KeyValueHeads is 0, it must be from 1 to 4096, or be left out where each head has keys and values of its own", "" },
        { "AG0009", $"[Attention(2, 8, Scale = 1f, [|ValueDim = 1024|])] static partial void Attend({T});", "ValueDim is 1024, it must be from 1 to 512: did you mean 512 = 1024 / 2, the elements of one head, where KeyValueHeads is 2?", "" },
        { "AG0009", $"[Attention(2, 8, [|QueryLength = 0|])] static partial void Attend({T});", "QueryLength is 0, it must be from 1 to 1048576, or be left out where it varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, KeyLength = 1048576, [|QueryLength = 1048577|])] static partial void Attend({T});", "QueryLength is 1048577, it must be from 1 to 1048576, or be left out where it varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, [|KeyLength = -1|])] static partial void Attend({T});", "KeyLength is -1, it must be from 1 to 1048576, or be left out where it varies from call to call", "" },
        { "AG0009", $"[Attention(2, [|0|], QueryStride = 1)] static partial void Attend({T});", "headDim is 0, it must be from 1 to 512", "" },
        { "AG0009", $"[Attention([|int.MaxValue|], 512, QueryStride = 1, OutputStride = 1)] static partial void Attend({T});", "heads is 2147483647, it must be from 1 to 4096", "" },
        { "AG0009", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|KeyLength = 0|], QueryLength = 1)] static partial void Attend({T});", "KeyLength is 0, it must be from 1 to 1048576, or be left out where it varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, [|WindowLeft = -2|])] static partial void Attend({T}, int queryStart);", "WindowLeft is -2, it must be from 0 to 1048575, or be left out where that side is open", "" },
        { "AG0009", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|WindowRight = 1048576|])] static partial void Attend({T});", "WindowRight is 1048576, it must be from 0 to 1048575, or be left out where that side is open", "" },
        { "AG0009", $"[Attention(2, 8, KeyLength = 8, [|WindowLeft = int.MaxValue|])] static partial void Attend({T});", "WindowLeft is 2147483647, it must be from 0 to 1048575, or be left out where that side is open", "" },
        { "AG0009", $"[Attention(2, 8, Mask = AttentionMask.Causal, WindowLeft = 1, [|QueryLength = int.MinValue|], KeyLength = 8)] static partial void Attend({T});", "QueryLength is -2147483648, it must be from 1 to 1048576, or be left out where it varies from call to call", "" },
        { "AG0009", $"[Attention(2, 8, WindowLeft = 8, [|WindowRight = int.MaxValue|], QueryLength = 4, KeyLength = 16)] static partial void Attend({T});", "WindowRight is 2147483647, it must be from 0 to 1048575, or be left out where that side is open", "" },
        { "AG0009", $"[Attention(2, 8, [|RelativeBuckets = 1|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeBuckets is 1, it must be from 2 to 1024, as 32 of T5", "" },
        { "AG0009", $"[Attention(2, 8, RelativeBuckets = 32, [|RelativeMaxDistance = 65537|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 65537, it must be from 1 to 65536, or be left out for 128, as T5 has it", "" },
        { "AG0009", $"[Attention(12, [|768|])] static partial void Attend({T});", "headDim is 768, it must be from 1 to 512: did you mean 64 = 768 / 12, the elements of one head, where heads is 12?", "" },
        { "AG0010", $"[Attention(12, 8, [|KeyValueHeads = 5|])] static partial void Attend({T});", "12 heads cannot share 5 key-value heads evenly: KeyValueHeads must divide heads, use 4 or 6", "" },
        { "AG0010", $"[Attention(1, 8, [|KeyValueHeads = 2|])] static partial void Attend({T});", "1 heads cannot share 2 key-value heads evenly: KeyValueHeads must divide heads, use 1", "" },
        { "AG0010", $"[Attention(12, 8, [|KeyValueHeads = 5|], KeyStride = 1, ValueStride = 1)] static partial void Attend({T});", "12 heads cannot share 5 key-value heads evenly: KeyValueHeads must divide heads, use 4 or 6", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = 0|])] static partial void Attend({T});", "Scale is 0, it must be a number other than 0 and at most 2E+38 in magnitude; leave it out for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = float.NaN|])] static partial void Attend({T});", "Scale is NaN, it must be a number other than 0 and at most 2E+38 in magnitude; leave it out for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = float.NegativeInfinity|])] static partial void Attend({T});", "Scale is -Infinity, it must be a number other than 0 and at most 2E+38 in magnitude; leave it out for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0011", $"[Attention(2, 64, [|Scale = float.MaxValue|])] static partial void Attend({T});", "Scale is 3.4028235E+38, it must be a number other than 0 and at most 2E+38 in magnitude; leave it out for 1 / sqrt(headDim) = 0.125", "" },
        { "AG0012", $"[Attention(2, 8, [|Mask = (AttentionMask)7|])] static partial void Attend({T});", "Mask is 7, which is no AttentionMask: use None or Causal", "" },
        { "AG0012", $"[Attention(2, 8, [|Mask = (AttentionMask)7|])] static partial void Attend({T}, int queryStart);", "Mask is 7, which is no AttentionMask: use None or Causal", "" },
        { "AG0013", $"[Attention(2, 8)] static partial void [|Attend|](ReadOnlySpan<float> query, ReadOnlySpan<float> key, Span<float> output);", $"'Attend' has no parameter for value: add 'ReadOnlySpan<float> value', or mark the parameter that it is with its role, as [Role(AttentionRole.Value)]", "" },
        { "AG0013", "[Attention(2, 8, Batched = true)] static partial void [|Attend|](ReadOnlySpan<float> query);", $"'Attend' has no parameter for key, value, output, batch: add 'ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch', or mark the parameter that it is with its role, as [Role(AttentionRole.Key)]", "" },
        { "AG0013", $"[Attention(2, 8, Batched = true)] static partial void [|Attend|]({T});", $"'Attend' has no parameter for batch: add 'int batch', or mark the parameter that it is with its role, as [Role(AttentionRole.Batch)]", "" },
        { "AG0013", $"[Attention(2, 8, Batched = true)] static partial void [|Attend|]({TensorSpans.Replace(S + " value", "ReadOnlySpan<float> value")});", $"'Attend' has no parameter for batch: add 'int batch', or mark the parameter that it is with its role, as [Role(AttentionRole.Batch)]", "" },
        { "AG0013", $"[Attention(2, 8, Batched = true)] static partial void [|Attend|]({S} query, {S} key);", $"'Attend' has no parameter for value, output: add 'ReadOnlyTensorSpan<float> value, TensorSpan<float> output', or mark the parameter that it is with its role, as [Role(AttentionRole.Value)]", "" },
        { "AG0013", $"[Attention(2, 8)] static partial void [|Attend|]({S} query, ReadOnlySpan<float> key, Span<float> output);", $"'Attend' has no parameter for value: add 'ReadOnlySpan<float> value', or mark the parameter that it is with its role, as [Role(AttentionRole.Value)]", "" },
        { "AG0014", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|Query|]);", "'query' and 'Query' both say which one query is: keep one of them", "" },
        { "AG0014", $"[Attention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.MaxThreads)] int a, [Role(AttentionRole.MaxThreads)] int [|b|]);", "'a' and 'b' both say which one maxThreads is: keep one of them", "" },
        { "AG0014", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int queryStart, ReadOnlySpan<int> [|queryStarts|]);", "'queryStart' and 'queryStarts' both say where the queries start: keep one of them", "" },
        { "AG0015", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> [|q|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", $"'q' is no parameter of a kernel: rename it to 'query', or mark it [Role(AttentionRole.Query)]", "" },
        { "AG0015", $"[Attention(2, 8, Batched = true)] static partial void Attend({TensorSpans.Replace("query", "[|q|]")});", $"'q' is no parameter of a kernel: rename it to 'query', or mark it [Role(AttentionRole.Query)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({TensorSpans.Replace("output", "[|o|]")});", $"'o' is no parameter of a kernel: rename it to 'output', or mark it [Role(AttentionRole.Output)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({TensorSpans}, {S} [|offset|]);", $"'offset' is no parameter of a kernel: take it out, rename it and change its type, or give it to a MaskMethod or ScoreMethod of yours. Parameters of a kernel are: {Roles}.", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, float [|slope|]);", $"'slope' is no parameter of a kernel: take it out, rename it and change its type, or give it to a MaskMethod or ScoreMethod of yours. Parameters of a kernel are: {Roles}.", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, bool [|isCausal|]);", "'isCausal' is no parameter of a kernel: take it out, and say it in the attribute, as Mask = AttentionMask.Causal", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, float [|scale|]);", "'scale' is no parameter of a kernel: take it out, and say it in the attribute, as Scale = 0.125f", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|scale|]);", "'scale' is no parameter of a kernel: rename it to 'scales', or mark it [Role(AttentionRole.Scales)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<bool> [|mask|]);", "'mask' is no parameter of a kernel: rename it to 'keep', or mark it [Role(AttentionRole.Keep)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|attnMask|]);", "'attnMask' is no parameter of a kernel: rename it to 'bias', or mark it [Role(AttentionRole.Bias)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, bool[] [|attn_mask|]);", "'attn_mask' is no parameter of a kernel: rename it to 'keep' and make it 'ReadOnlySpan<bool>', or mark it [Role(AttentionRole.Keep)] as 'ReadOnlySpan<bool>'", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, int [|position|]);", "'position' is no parameter of a kernel: rename it to 'queryStart', or mark it [Role(AttentionRole.QueryStart)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|seqLens|]);", "'seqLens' is no parameter of a kernel: rename it to 'keyLengths', or mark it [Role(AttentionRole.KeyLengths)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, int [|keyLength|]);", "'keyLength' is no parameter of a kernel: take it out, as lengths follow from those of the spans; a length that every call has stands in the attribute, as QueryLength = 16 or KeyLength = 16", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, Span<float> [|attentionWeights|]);", "'attentionWeights' is no parameter of a kernel: rename it to 'scores', or mark it [Role(AttentionRole.Scores)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> [|ouptut|]);", "'ouptut' is no parameter of a kernel: rename it to 'output', or mark it [Role(AttentionRole.Output)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> [|x|], Span<float> output);", "'x' is no parameter of a kernel: rename it to 'value', or mark it [Role(AttentionRole.Value)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|q|]);", "'q' is no parameter of a kernel: 'query' is the query already: take it out, or mark it with its role, as [Role(AttentionRole.Bias)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|spans|]);", "'spans' is no parameter of a kernel: of type 'ReadOnlySpan<int>' are queryStarts, keyLengths, prefixLengths, documentStarts, keyDocumentStarts, keyBlockStarts and keyBlocks: rename it, take it out, or mark it with its role, as [Role(AttentionRole.QueryStarts)]", "" },
        { "AG0015", $"[Attention(2, 8)] static partial void Attend(float[] [|q|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "'q' is no parameter of a kernel: rename it to 'query' and make it 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>', or mark it [Role(AttentionRole.Query)] as 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>'", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(float[] [|query|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "'query' is 'float[]', but the parameter query of a kernel is 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>': change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, in ReadOnlySpan<float> [|value|], Span<float> output);", "'value' is 'in ReadOnlySpan<float>', but the parameter value of a kernel is 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>': change its type", "" },
        { "AG0016", "[Attention(2, 8)] static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, [Role(AttentionRole.Output)] ReadOnlySpan<float> [|o|]);", "'o' is 'ReadOnlySpan<float>', but the parameter output of a kernel is 'Span<float>' or 'TensorSpan<float>': change its type", "" },
        { "AG0016", $"[Attention(2, 8, Batched = true)] static partial void Attend({TensorSpans.Replace("ReadOnlyTensorSpan<float> key", "Tensor<float> [|key|]")});", "'key' is 'Tensor<float>', but the parameter key of a kernel is 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend(ref {TensorSpans.Replace("query", "[|query|]")});", "'query' is 'ref ReadOnlyTensorSpan<float>', but the parameter query of a kernel is 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({TensorSpans.Replace(Sample.OutputTensorSpan + " output", S + " [|output|]")});", "'output' is 'ReadOnlyTensorSpan<float>', but the parameter output of a kernel is 'Span<float>' or 'TensorSpan<float>': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T.Replace("ReadOnlySpan<float> key", "global::System.Numerics.Tensors.ReadOnlyTensorSpan<double> [|key|]")});", "'key' is 'ReadOnlyTensorSpan<double>', but the parameter key of a kernel is 'ReadOnlySpan<float>' or 'ReadOnlyTensorSpan<float>': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T}, long [|maxThreads|]);", "'maxThreads' is 'long', but the parameter maxThreads of a kernel is 'int': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T}, params ReadOnlySpan<int> [|keyLengths|]);", "'keyLengths' is 'params ReadOnlySpan<int>', but the parameter keyLengths of a kernel is 'ReadOnlySpan<int>': change its type", "" },
        { "AG0016", $"unsafe partial class Inner {{ [Attention(2, 8)] static partial void Attend({T}, int* [|maxThreads|]); }}", "'maxThreads' is 'int*', but the parameter maxThreads of a kernel is 'int': change its type", "" },
        { "AG0016", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<byte> [|keep|]);", "'keep' is 'ReadOnlySpan<byte>', but the parameter keep of a kernel is 'ReadOnlySpan<bool>': change its type", "" },
        { "AG0017", $"[Attention(2, 8)] static partial void Attend({T}, int [|queryStart|]);", "'queryStart' gives positions, but no mask looks at them: set Mask = AttentionMask.Causal or a window, or take the parameter out", "" },
        { "AG0017", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|queryStarts|]);", "'queryStarts' gives positions, but no mask looks at them: set Mask = AttentionMask.Causal or a window, or take the parameter out", "" },
        { "AG0017", $"[Attention(2, 8, WindowLeft = -1, WindowRight = -1)] static partial void Attend({T}, int [|queryStart|]);", "'queryStart' gives positions, but no mask looks at them: set Mask = AttentionMask.Causal or a window, or take the parameter out", "" },
        { "AG0018", $"[Attention(2, 8)] static partial void Attend({T}, int [|batch|]);", "'batch' is the number of batch items, but the kernel has no batch: set Batched = true, or take the parameter out", "" },
        { "AG0019", "int P { [[|Attention(2, 8)|]] get => 1; }", "[Attention] stands on an accessor, which cannot be generated: put it on a partial method of a class or a struct", "" },
        { "AG0019", $"void M() {{ [[|Attention(2, 8)|]] static void Attend({T}) {{ }} Attend(default, default, default, default); }}", "[Attention] stands on a local function, which cannot be generated: put it on a partial method of a class or a struct", "" },
        { "AG0019", "Action A = [[|Attention(2, 8)|]] () => { };", "[Attention] stands on a lambda, which cannot be generated: put it on a partial method of a class or a struct", "" },
        { "AG0019", "[[|Attention(2, 8)|]] public static Llama operator +(Llama a, Llama b) => a;", "[Attention] stands on an operator, which cannot be generated: put it on a partial method of a class or a struct", "" },
        { "AG0019", "[[|Attention(2, 8)|]] ~Llama() { }", "[Attention] stands on something that is no method, which cannot be generated: put it on a partial method of a class or a struct", "" },
        { "AG0019", "|class C : IDisposable { [[|Attention(2, 8)|]] void IDisposable.Dispose() { } }", "[Attention] stands on an explicit implementation of an interface, which cannot be generated: put it on a partial method of a class or a struct", "" },
        { "AG0020", $"[Attention(2, 8, [|Isas = (AttentionIsas)17|])] static partial void Attend({T});", "Isas holds 16, which is no AttentionIsas: combine Portable, Avx2, Avx512 and Neon, or leave it out for all of them", "" },
        { "AG0021", $"[Attention(2, 8, [|Layout = (AttentionLayout)2|])] static partial void Attend({T});", "Layout is 2, which is no AttentionLayout: use TokenMajor or HeadMajor", "" },
        { "AG0021", $"[Attention(2, 8, [|Layout = (AttentionLayout)(-1)|], QueryStride = 1)] static partial void Attend({T});", "Layout is -1, which is no AttentionLayout: use TokenMajor or HeadMajor", "" },
        { "AG0022", $"[Attention(12, 64, [|QueryStride = 512|])] static partial void Attend({T});", "QueryStride is 512, but a token of the query has heads * headDim = 12 * 64 = 768 elements: use 768 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, [|QueryStride = 0|], KeyValueHeads = 4, KeyStride = 256)] static partial void Attend({T});", "QueryStride is 0, but a token of the query has heads * headDim = 12 * 64 = 768 elements: use 768 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, [|KeyStride = 255|])] static partial void Attend({T});", "KeyStride is 255, but a token of the key has KeyValueHeads * headDim = 4 * 64 = 256 elements: use 256 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, ValueDim = 32, [|KeyStride = -768|])] static partial void Attend({T});", "KeyStride is -768, but a token of the key has heads * headDim = 12 * 64 = 768 elements: use 768 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 32, [|ValueStride = 127|])] static partial void Attend({T});", "ValueStride is 127, but a token of the value has KeyValueHeads * ValueDim = 4 * 32 = 128 elements: use 128 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 32, [|OutputStride = 383|])] static partial void Attend({T});", "OutputStride is 383, but a token of the output has heads * ValueDim = 12 * 32 = 384 elements: use 384 or more, or leave it out", "" },
        { "AG0022", $"[Attention(4096, 512, [|OutputStride = int.MinValue|])] static partial void Attend({T});", "OutputStride is -2147483648, but a token of the output has heads * headDim = 4096 * 512 = 2097152 elements: use 2097152 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, Layout = AttentionLayout.HeadMajor, [|QueryStride = 63|])] static partial void Attend({T});", "QueryStride is 63, but a token of the query has headDim = 64 elements where heads come first: use 64 or more, or leave it out", "" },
        { "AG0022", $"[Attention(12, 64, KeyValueHeads = 4, ValueDim = 80, Layout = AttentionLayout.HeadMajor, KeyStride = 64, [|ValueStride = 64|])] static partial void Attend({T});", "ValueStride is 64, but a token of the value has ValueDim = 80 elements where heads come first: use 80 or more, or leave it out", "" },
        { "AG0023", $"[Attention(12, 64, [|QueryStride = 768|])] static partial void Attend({TensorSpans});", "QueryStride has no effect, as 'query' is a 'ReadOnlyTensorSpan<float>' and brings its own strides: leave it out, or change the type of 'query' to 'ReadOnlySpan<float>'", "" },
        { "AG0023", $"[Attention(12, 64, [|KeyStride = 0|], QueryStride = 768)] static partial void Attend({T.Replace("ReadOnlySpan<float> key", $"[Role(AttentionRole.Key)] {S} k")});", "KeyStride has no effect, as 'k' is a 'ReadOnlyTensorSpan<float>' and brings its own strides: leave it out, or change the type of 'k' to 'ReadOnlySpan<float>'", "" },
        { "AG0023", $"[Attention(12, 64, [|ValueStride = 768|])] static partial void Attend({TensorSpans});", "ValueStride has no effect, as 'value' is a 'ReadOnlyTensorSpan<float>' and brings its own strides: leave it out, or change the type of 'value' to 'ReadOnlySpan<float>'", "" },
        { "AG0023", $"[Attention(12, 64, [|OutputStride = 768|])] static partial void Attend({TensorSpans});", "OutputStride has no effect, as 'output' is a 'TensorSpan<float>' and brings its own strides: leave it out, or change the type of 'output' to 'Span<float>'", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = 0f|])] static partial void Attend({T});", "SoftCap is 0, it must be a positive, finite number: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = -3f|])] static partial void Attend({T});", "SoftCap is -3, it must be a positive, finite number: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = float.NaN|])] static partial void Attend({T});", "SoftCap is NaN, it must be a positive, finite number: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = 1f / 0|])] static partial void Attend({T});", "SoftCap is Infinity, it must be a positive, finite number: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0024", $"[Attention(2, 8, [|SoftCap = 1e-40f|])] static partial void Attend({T});", "SoftCap is 1E-40, but 1 / SoftCap = Infinity, which scores are multiplied by, must be from 1.2E-38 to 2E+38: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0024", $"[Attention(2, 8, Scale = 1e38f, [|SoftCap = 0.25f|])] static partial void Attend({T});", "SoftCap is 0.25, but Scale / SoftCap = Infinity, which scores are multiplied by, must be from 1.2E-38 to 2E+38: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0024", $"[Attention(2, 64, [|SoftCap = 1e38f|])] static partial void Attend({T});", "SoftCap is 1E+38, but 1 / SoftCap = 1.0000001E-38, which scores are multiplied by, must be from 1.2E-38 to 2E+38: use one as models have it, as 50f, or leave it out for none", "" },
        { "AG0025", $"[Attention(2, 8, [|BiasAxes = AttentionAxes.None|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "BiasAxes is None, but it has a value for each key: use Key, with any of Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, Batched = true, [|KeepAxes = AttentionAxes.Batch | AttentionAxes.Query|])] static partial void Attend({T}, int batch, ReadOnlySpan<bool> keep);", "KeepAxes is Batch, Query, but it has a value for each key: use Key, with any of Batch, Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, [|KeepAxes = AttentionAxes.Batch | AttentionAxes.Key|])] static partial void Attend({T}, ReadOnlySpan<bool> keep);", "KeepAxes is Batch, Key, but the kernel has no batch: use Key, with any of Head and Query", "" },
        { "AG0025", $"[Attention(2, 8, [|BiasAxes = (AttentionAxes)24|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "BiasAxes is 24, which is no AttentionAxes: use Key, with any of Head and Query", "" },
        { "AG0026", $"[Attention(2, 8, [|BiasAxes = AttentionAxes.Key|])] static partial void Attend({T});", "BiasAxes has no effect, as there is no parameter bias: add 'ReadOnlySpan<float> bias', or leave it out", "" },
        { "AG0026", $"[Attention(2, 8, [|KeepAxes = AttentionAxes.Key|])] static partial void Attend({T}, ReadOnlySpan<float> bias);", "KeepAxes has no effect, as there is no parameter keep: add 'ReadOnlySpan<bool> keep', or leave it out", "" },
        { "AG0027", $"[Attention(2, 8, [|Alibi = true|])] static partial void Attend({T}, ReadOnlySpan<float> slopes);", "Alibi = true stands for the standard slopes, and 'slopes' gives others: keep one of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = \"Visible\"|])] static partial void Attend({T});", "'Visible' cannot become vector code: there is no such method beside the kernel: add 'static bool Visible(int query, int key) => ...;'", "" },
        { "AG0028", $"[Attention(2, 8, [|ScoreMethod = \"Score\"|])] static partial void Attend({T});", "'Score' cannot become vector code: there is no such method beside the kernel: add 'static float Score(float score, int query, int key) => ...;'", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static int Visible(int query, int key) => 1;", "'Visible' cannot become vector code: it must be static and return bool: write 'static bool Visible(int query, int key)'", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key) => true; static bool Visible(int key) => true;", "'Visible' cannot become vector code: there are several methods of this name: rename one", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key, int width) => key < width;", "'Visible' cannot become vector code: its parameter 'width' is none of query, key, head, batch, and the kernel has no parameter 'int width': add it there, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, float key) => true;", "'Visible' cannot become vector code: its parameter 'key' must be int", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, long other) => true;", "'Visible' cannot become vector code: its parameter 'other' is long: int and float can be, and ReadOnlySpan of them", "" },
        { "AG0029", $"[Attention(2, 8, [|RelativeBuckets = 32|])] static partial void Attend({T});", "RelativeBuckets = 32 has no effect, as there is no parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or leave it out", "" },
        { "AG0029", $"[Attention(2, 8, [|RelativeMaxDistance = 64|])] static partial void Attend({T});", "RelativeMaxDistance = 64 has no effect, as there is no parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or leave it out", "" },
        { "AG0029", $"[Attention(2, 8, [|RelativeBidirectional = false|])] static partial void Attend({T});", "RelativeBidirectional = false has no effect, as there is no parameter relativeBias: add 'ReadOnlySpan<float> relativeBias', or leave it out", "" },
        { "AG0030", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|relativeBias|]);", "'relativeBias' has a bias for each bucket of distances, but nothing says how many these are: set RelativeBuckets, as 32 for T5, or take the parameter out", "" },
        { "AG0030", $"[Attention(2, 8, RelativeMaxDistance = 64)] static partial void Attend({T}, [Role(AttentionRole.RelativeBias)] ReadOnlySpan<float> [|table|]);", "'table' has a bias for each bucket of distances, but nothing says how many these are: set RelativeBuckets, as 32 for T5, or take the parameter out", "" },
        { "AG0031", $"[Attention(64, 8, RelativeBuckets = 32, [|RelativeMaxDistance = 16369|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 16369, but a call expands the biases of 64 heads for each distance, in at most 8 MiB: use 16368 or less", "" },
        { "AG0031", $"[Attention(2, 8, [|RelativeBuckets = 33|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeBuckets is 33, which is odd, and half of them are for keys behind the query: use 32 or 34, or set RelativeBidirectional = false", "" },
        { "AG0031", $"[Attention(2, 8, [|RelativeBuckets = 2|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeBuckets is 2, which leaves 1 for either direction, and half of that for single distances: use 4 or more, or set RelativeBidirectional = false", "" },
        { "AG0031", $"[Attention(2, 8, RelativeBuckets = 32, [|RelativeMaxDistance = 8|])] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 8, but the first 8 of 16 buckets of a direction hold one distance each: use more than 8, or fewer buckets", "" },
        { "AG0031", $"[Attention(2, 8, [|RelativeBuckets = 256|], RelativeBidirectional = false)] static partial void Attend({T}, ReadOnlySpan<float> relativeBias);", "RelativeMaxDistance is 128, but the first 128 of 256 buckets hold one distance each: use more than 128, or fewer buckets", "" },
        { "AG0032", $"[Attention(2, 8, [|Scale = 0.5f|])] static partial void Attend({T}, ReadOnlySpan<float> scales);", "Scale = 0.5 is the factor of all heads, and 'scales' has one for each: keep one of them", "" },
        { "AG0028", $"[Attention(2, 8, ScoreMethod = nameof(Score))] static partial void Attend({T}); static float Score(float score, int key) => (float)([|0.5 * score|]);", "'Score' cannot become vector code: '0.5 * score': it is a double: write float literals, as 0.5f, and MathF", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => key % [|query|] == 0;", "'Visible' cannot become vector code: 'query': an int is divided by constants other than 0 and -1 only", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|Math.Sign(key)|] == 0;", "'Visible' cannot become vector code: 'Math.Sign(key)': of Math, MathF, float and int, Abs, Min, Max, Clamp can be lifted here", "" },
        { "AG0028", $"[Attention(2, 8, ScoreMethod = nameof(Score))] static partial void Attend({T}); static float Score(float score) => [|MathF.Log(score, 2f)|];", "'Score' cannot become vector code: 'MathF.Log(score, 2f)': of Math, MathF, float and int, Abs, Min, Max, Clamp, Sqrt, Exp, Exp2, Log, Log2, Tanh, Sin, Cos, FusedMultiplyAdd can be lifted here", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key, ReadOnlySpan<int> segment) => segment[query] == segment[key];", "'Visible' cannot become vector code: its parameter 'segment' is none of query, key, head, batch, and the kernel has no parameter 'ReadOnlySpan<int> segment': add it there, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, ReadOnlySpan<float> sinks); static bool Visible(int query, int key, ReadOnlySpan<int> sinks) => sinks[key] > 0;", "'Visible' cannot become vector code: its parameter 'sinks' is none of query, key, head, batch, and the kernel has no parameter 'ReadOnlySpan<int> sinks': add it there, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}, ReadOnlySpan<int> segment); static bool Visible(int key, ReadOnlySpan<int> segment) => [|segment[^1]|] == key;", "'Visible' cannot become vector code: 'segment[^1]': parameters, elements of spans, constants, arithmetic, comparisons, patterns of numbers, ?:, switch expressions and calls can be lifted", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<int> e); static bool Visible(int key, ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<int> e) => a[key] + b[key] + c[key] + d[key] + e[key] > 0;", "'Visible' cannot become vector code: the methods of a kernel use more than 4 of its spans", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => key >> [|query|] == 0;", "'Visible' cannot become vector code: 'query': an int is shifted by constants only", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}); static bool Visible(int query, int key) {{ int x = key; return x < query; }}", "'Visible' cannot become vector code: a method is lifted that is one expression: '=> ...' or a single return", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|Visible(key, query)|];", "'Visible' cannot become vector code: 'Visible(key, query)': the method calls itself, or others too deep", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|checked(query - key)|] > 3;", "'Visible' cannot become vector code: 'checked(query - key)': nothing throws in a kernel, where ints wrap: leave checked out, and bound what could overflow, as by Math.Clamp", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => Math.Abs([|checked(-key)|]) > 3;", "'Visible' cannot become vector code: 'checked(-key)': nothing throws in a kernel, where ints wrap: leave checked out, and bound what could overflow, as by Math.Clamp", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => key is [|var x|] && x > query;", "'Visible' cannot become vector code: 'var x': of patterns, constants, < <= > >=, and, or, not and _ can be lifted", "" },
        { "AG0028", $"[Attention(2, 8, MaskMethod = nameof(Visible))] static partial void Attend({T}); static bool Visible(int query, int key) => [|(query, key)|] is (> 3, < 2);", "'Visible' cannot become vector code: '(query, key)': its type is (int query, int key): int, float and bool can be lifted", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, bool flag); static bool Visible(int query, int key, bool flag) => flag || key <= query;", "'Visible' cannot become vector code: its parameter 'flag' is bool: int and float can be, and ReadOnlySpan of them; make it an int here and in the kernel, and write 'flag != 0'", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, long width); static bool Visible(int query, int key, long width) => key <= width;", "'Visible' cannot become vector code: its parameter 'width' is long: int and float can be, and ReadOnlySpan of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, long a, int b, float c); static bool Visible(int query, int key, long a, int b, float c) => key <= b;", "'Visible' cannot become vector code: its parameter 'a' is long: int and float can be, and ReadOnlySpan of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, long queryStart); static bool Visible(int query, int key, long queryStart) => key <= 3;", "'Visible' cannot become vector code: its parameter 'queryStart' is long: int and float can be, and ReadOnlySpan of them", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, int width); static bool Visible(int query, int key, int widht) => key <= widht;", "'Visible' cannot become vector code: its parameter 'widht' is none of query, key, head, batch, and the kernel has no parameter 'int widht': add it there, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = nameof(Visible)|])] static partial void Attend({T}, float width); static bool Visible(int query, int key, int width) => key <= width;", "'Visible' cannot become vector code: its parameter 'width' is none of query, key, head, batch, and the kernel has no parameter 'int width': add it there, or rename it", "" },
        { "AG0028", $"[Attention(2, 8, [|MaskMethod = \"Visible\"|])] static partial void Attend({T}, int width, float slope);", "'Visible' cannot become vector code: there is no such method beside the kernel: add 'static bool Visible(int query, int key) => ...;'", "" },
        { "AG0035", $"[Attention(2, 8, [|ScoresStage = (AttentionStage)4|])] static partial void Attend({T}, Span<float> scores);", "ScoresStage is 4, which is no AttentionStage: use Scaled, Capped, Masked or Weights", "" },
        { "AG0036", $"[Attention(2, 8, [|ScoresStage = AttentionStage.Masked|])] static partial void Attend({T});", "ScoresStage has no effect, as there is no parameter scores: add 'Span<float> scores', or leave it out", "" },
        { "AG0037", $"[Attention(2, 8, [|QueryKeyNorm = (AttentionNorm)3|])] static partial void Attend({T});", "QueryKeyNorm is 3, which is no AttentionNorm: use None, Rms or L2", "" },
        { "AG0038", $"[Attention(2, 8, [|NormEpsilon = 1e-5f|])] static partial void Attend({T});", "'NormEpsilon' has no effect, as queries and keys are not normalised: set QueryKeyNorm = AttentionNorm.Rms or L2, or leave it out", "" },
        { "AG0038", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<float> [|queryNormWeight|]);", "'queryNormWeight' has no effect, as queries and keys are not normalised: set QueryKeyNorm = AttentionNorm.Rms or L2, or leave it out", "" },
        { "AG0038", $"[Attention(2, 8)] static partial void Attend({T}, [Role(AttentionRole.KeyNormWeight)] ReadOnlySpan<float> [|gain|]);", "'gain' has no effect, as queries and keys are not normalised: set QueryKeyNorm = AttentionNorm.Rms or L2, or leave it out", "" },
        { "AG0039", $"[Attention(2, 8, QueryKeyNorm = AttentionNorm.L2, [|NormEpsilon = 0f|])] static partial void Attend({T});", "NormEpsilon is 0, it must be a finite number of at least 1.2E-38: use one as models have it, or leave it out for 1E-06", "" },
        { "AG0039", $"[Attention(2, 8, QueryKeyNorm = AttentionNorm.L2, [|NormEpsilon = 1e-45f|])] static partial void Attend({T});", "NormEpsilon is 1E-45, it must be a finite number of at least 1.2E-38: use one as models have it, or leave it out for 1E-06", "" },
        { "AG0039", $"[Attention(2, 8, QueryKeyNorm = AttentionNorm.Rms, [|NormEpsilon = float.NaN|])] static partial void Attend({T});", "NormEpsilon is NaN, it must be a finite number of at least 1.2E-38: use one as models have it, or leave it out for 1E-06", "" },
        { "AG0041", $"[Attention(2, 8, [|PrefixLength = 3|])] static partial void Attend({T});", "PrefixLength widens a causal mask, and there is none: add Mask = AttentionMask.Causal, or leave it out", "" },
        { "AG0041", $"[Attention(2, 8, WindowLeft = 3)] static partial void Attend({T}, int [|prefixLength|]);", "'prefixLength' widens a causal mask, and there is none: add Mask = AttentionMask.Causal, or leave it out", "" },
        { "AG0042", $"[Attention(2, 8, Mask = AttentionMask.Causal, Batched = true, PrefixLength = 3)] static partial void Attend({T}, int batch, ReadOnlySpan<int> [|prefixLengths|]);", "PrefixLength = 3 and the parameter 'prefixLengths' both say how long the prefix is: keep one of them", "" },
        { "AG0043", $"[Attention(2, 8, Batched = true)] static partial void Attend({T}, int batch, ReadOnlySpan<int> [|documentStarts|]);", "'documentStarts' packs documents one after the other, each of them what a batch item is otherwise: leave Batched = true out, or 'documentStarts'", "" },
        { "AG0044", $"[Attention(2, 8)] static partial void Attend({T}, ReadOnlySpan<int> [|keyDocumentStarts|]);", "'keyDocumentStarts' says where documents begin among the keys, and nothing says it of the queries: add 'ReadOnlySpan<int> documentStarts'", "" },
        { "AG0045", $"[Attention(2, 8, [|KeyBlockSize = 64|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlocks);", "A block-sparse mask has QueryBlockSize, KeyBlockSize and the parameters 'ReadOnlySpan<int> keyBlockStarts' and 'ReadOnlySpan<int> keyBlocks', but QueryBlockSize and 'keyBlockStarts' are missing: add QueryBlockSize = 64 and 'ReadOnlySpan<int> keyBlockStarts', or leave the others out", "" },
        { "AG0045", $"[Attention(2, 8, [|QueryBlockSize = 64|], KeyBlockSize = 64)] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts);", "A block-sparse mask has QueryBlockSize, KeyBlockSize and the parameters 'ReadOnlySpan<int> keyBlockStarts' and 'ReadOnlySpan<int> keyBlocks', but 'keyBlocks' is missing: add 'ReadOnlySpan<int> keyBlocks', or leave the others out", "" },
        { "AG0046", $"[Attention(2, 8, QueryBlockSize = 1, [|KeyBlockSize = 48|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);", "KeyBlockSize is 48, it must be a multiple of 32, so that vectors of keys end with it: use 32 or 64", "" },
        { "AG0047", $"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64)] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks, ReadOnlySpan<int> [|documentStarts|]);", "'documentStarts' cannot stand beside lists of blocks: call the kernel for each document", "" },
        { "AG0047", $"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64, [|ChunkLength = 9|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);", "ChunkLength = 9 cannot stand beside lists of blocks: say it as a MaskMethod, 'query / 9 == key / 9'", "" },
        { "AG0047", $"[Attention(2, 8, QueryBlockSize = 1, KeyBlockSize = 64, [|Dilation = 2|])] static partial void Attend({T}, ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks);", "Dilation = 2 cannot stand beside lists of blocks: say it as a MaskMethod, '(query - key) % 2 == 0'", "" },
        { "AG0048", $"[Attention(2, 8), System.Runtime.InteropServices.LibraryImport(\"x\")] public static partial void {{|#1:[|Attend|]|}}({T});", "'Attend' gets its body from [LibraryImport], and a method has one: take one of the two attributes off", "CS8795" },
        { "AG0049", $"[Attention(2, 8)] static partial void Attend({T}, [Role((AttentionRole)99)] int [|maxThreads|]);", "'maxThreads' is marked with role 99, which is no AttentionRole: take [Role] off, as its name says that it is the maxThreads", "" },
        { "AG0049", $"[Attention(2, 8)] static partial void Attend([Role((AttentionRole)(-1))] ReadOnlySpan<float> [|query|], ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);", "'query' is marked with role -1, which is no AttentionRole: take [Role] off, as its name says that it is the query", "" },
        { "AG0049", $"[Attention(2, 8)] static partial void Attend({T}, [Role((AttentionRole)99)] ReadOnlySpan<float> [|extra|]);", "'extra' is marked with role 99, which is no AttentionRole: use one of its values, as AttentionRole.Query", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|queryStart|] = -1);", "'queryStart' is -1 where it is left out, and each call with it throws: use 0 or more, or no default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|maxThreads|] = 0);", "'maxThreads' is 0 where it is left out, and each call with it throws: use 1 or more, or no default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|maxThreads|] = default);", "'maxThreads' is 0 where it is left out, and each call with it throws: use 1 or more, or no default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, [System.Runtime.InteropServices.Optional] int [|maxThreads|]);", "'maxThreads' is 0 where it is left out, and each call with it throws: use 1 or more, or no default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, int [|prefixLength|] = -3);", "'prefixLength' is -3 where it is left out, and each call with it throws: use 0 or more, or no default", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<float> [|bias|] = default);", "'bias' is empty where it is left out, and each call with it throws: take the default out, and declare an overload without it for calls that have none", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<bool> [|keep|] = default);", "'keep' is empty where it is left out, and each call with it throws: take the default out, and declare an overload without it for calls that have none", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, Span<float> [|logSumExp|] = default);", "'logSumExp' is empty where it is left out, and each call with it throws: take the default out, and declare an overload without it for calls that have none", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, ReadOnlySpan<int> [|queryStarts|] = default);", "'queryStarts' is empty where it is left out, and each call with it throws: take the default out, and declare an overload without it for calls that have none", "" },
        { "AG0050", $"[Attention(2, 8, Mask = AttentionMask.Causal)] static partial void Attend({T}, Span<int> [|argmax|] = default);", "'argmax' is empty where it is left out, and each call with it throws: take the default out, and declare an overload without it for calls that have none", "" },
        { "AG0050", $"[Attention(2, 8, Batched = true)] static partial void Attend({T}, int [|batch|] = -1);", "'batch' is -1 where it is left out, and each call with it throws: use 0 or more, or no default", "" },
        { "AG0101", $"[Attention(2, 8, Mask = AttentionMask.Causal, Batched = true)] static partial void Attend({T}, int batch, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item stands at its last visible key, so that in a padded prefill (as many queries as keys) the first rows stand before the first key: add 'int queryStart' and give 0 for a prefill, set QueryLength = 1 for decoding, or suppress this where every query follows the keys", "" },
        { "AG0101", $"[Attention(2, 8, Mask = AttentionMask.Causal, QueryLength = 2, KeyLength = 2)] static partial void Attend({T}, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item stands at its last visible key, so that in a padded prefill (as many queries as keys) the first rows stand before the first key: add 'int queryStart' and give 0 for a prefill, set QueryLength = 1 for decoding, or suppress this where every query follows the keys", "" },
        { "AG0101", $"[Attention(2, 8, WindowLeft = 3)] static partial void Attend({T}, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item stands at its last visible key, so that in a padded prefill (as many queries as keys) the first rows stand before the first key: add 'int queryStart' and give 0 for a prefill, set QueryLength = 1 for decoding, or suppress this where every query follows the keys", "" },
        { "AG0101", $"[Attention(2, 8, WindowRight = 3, QueryLength = 5)] static partial void Attend({T}, ReadOnlySpan<int> [|keyLengths|]);", "Without a start, the last query of each batch item stands at its last visible key, so that in a padded prefill (as many queries as keys) the first rows stand before the first key: add 'int queryStart' and give 0 for a prefill, set QueryLength = 1 for decoding, or suppress this where every query follows the keys", "" },
        { "AG0103", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|QueryLength = 128|], KeyLength = 100)] static partial void Attend({T});", "With QueryLength = 128, KeyLength = 100 and no start, the last query stands at the last key and none is left for the first 28 queries, whose output is 0: add 'int queryStart' and give 0 where the first query stands at the first key, or suppress this where zeros are meant", "" },
        { "AG0103", $"[Attention(2, 8, Mask = AttentionMask.Causal, KeyLength = 1, [|QueryLength = 2|])] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);", "With QueryLength = 2, KeyLength = 1 and no start, the last query stands at the last key and none is left for the first query, whose output is 0: add 'int queryStart' and give 0 where the first query stands at the first key, or suppress this where zeros are meant", "" },
        { "AG0103", $"[Attention(2, 8, WindowRight = 5, [|QueryLength = 128|], KeyLength = 100)] static partial void Attend({T});", "With QueryLength = 128, KeyLength = 100, WindowRight = 5 and no start, the last query stands at the last key and none is left for the first 23 queries, whose output is 0: add 'int queryStart' and give 0 where the first query stands at the first key, or suppress this where zeros are meant", "" },
        { "AG0103", $"[Attention(2, 8, WindowLeft = 2, WindowRight = 0, [|QueryLength = 6|], KeyLength = 5)] static partial void Attend({T});", "With QueryLength = 6, KeyLength = 5 and no start, the last query stands at the last key and none is left for the first query, whose output is 0: add 'int queryStart' and give 0 where the first query stands at the first key, or suppress this where zeros are meant", "" },
        { "AG0104", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|WindowRight = 3|])] static partial void Attend({T}, int queryStart);", "WindowRight = 3 hides no key, as the causal mask hides every key behind the query: leave one of the two out", "" },
        { "AG0104", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|WindowLeft = 9|], KeyLength = 10)] static partial void Attend({T});", "WindowLeft = 9 hides no key, as the last query stands at the last key, with 9 before it: leave it out, or use less than 9", "" },
        { "AG0104", $"[Attention(2, 8, [|WindowLeft = 1048575|], KeyLength = 10)] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);", "WindowLeft = 1048575 hides no key, as the last query stands at the last key, with 9 before it: leave it out, or use less than 9", "" },
        { "AG0104", $"[Attention(2, 8, [|WindowLeft = 0|], KeyLength = 1)] static partial void Attend({T});", "WindowLeft = 0 hides no key, as the last query stands at the last key, with 0 before it: leave it out", "" },
        { "AG0104", $"[Attention(2, 8, [|WindowRight = 15|], QueryLength = 16)] static partial void Attend({T}, ReadOnlySpan<int> keyLengths);", "WindowRight = 15 hides no key, as the first of 16 queries stands 15 before the last key: leave it out, or use less than 15", "" },
        { "AG0104", $"[Attention(2, 8, WindowLeft = 3, [|WindowRight = 0|], QueryLength = 1)] static partial void Attend({T});", "WindowRight = 0 hides no key, as the query stands at the last key: leave it out", "" },
        { "AG0105", $"[Attention(2, 8, [|MaskMethod = nameof(Never)|])] static partial void Attend({T}); static bool Never(int query, int key) => key < query && key > query;", "No query sees a key, as the mask method never returns true: every output is 0", "" },
        { "AG0105", $"[Attention(2, 8, Mask = AttentionMask.Causal, [|MaskMethod = nameof(After)|])] static partial void Attend({T}); static bool After(int query, int key) => key > query;", "No query sees a key, as the mask method lets through only keys that the mask or the window of the attribute hides: every output is 0", "" },
    };

    [Theory, MemberData(nameof(Cases))]
    public async Task A_wrong_declaration_is_one_diagnostic(string id, string source, string message, string compilerErrors)
    {
        var ours = new DiagnosticResult(Rules.All.Single(rule => rule.Id == id)).WithLocation(0).WithMessage(message); // as text of sv-SE
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
        Assert.Contains("Llama.Attend: AG0009: headDim is 0, it must be from 1 to 512", error.GetMessage(null), StringComparison.Ordinal);
    }

    [Fact]
    public void No_error_can_be_configured() =>
        Assert.All(Rules.All, rule => Assert.Equal(rule.DefaultSeverity == DiagnosticSeverity.Error, rule.CustomTags.Contains(WellKnownDiagnosticTags.NotConfigurable)));

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
        Assert.Equal(compilerReports ? ["#error: 'Llama.Attend: AG0009: headDim is 0, it must be from 1 to 512'"] : [], errors.Select(d => d.GetMessage(null)));
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_build_without_analyzers_reports_the_same_message(string id, string source, string message, string compilerErrors)
    {
        var project = new Project(Unmarked(source)) { AllowUnsafe = true, Properties = new() { [Syntax.AnalyzerSwitch.Property] = "true" } };
        var found = project.Generate().Output.GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity == DiagnosticSeverity.Error).ToList();
        Assert.Equal(compilerErrors.Split(' ', StringSplitOptions.RemoveEmptyEntries), found.Where(d => d.Id != "CS1029").Select(d => d.Id).Distinct().Order());
        Assert.Equal(IsError(id) ? 1 : 0, found.Count(d => d.Id == "CS1029" && d.GetMessage(null).EndsWith($"{id}: {message}'", StringComparison.Ordinal)));
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
    public void The_table_of_roles_stands_in_messages() => Assert.Equal(Roles, RoleTable.Text);

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
