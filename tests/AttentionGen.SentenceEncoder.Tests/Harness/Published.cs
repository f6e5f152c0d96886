using SentenceEncoder.Models;
using SentenceEncoder.Weights;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>The models with their published weights. Where those are not at hand, a test that asks for them is skipped.</summary>
internal static class Published
{
    private static readonly Lazy<(byte[] Model, byte[] Vocabulary)> s_miniLmFiles = new(() => MiniLmPackage.Read());
    private static readonly Lazy<MiniLmEncoder> s_miniLm = new(() => MiniLmEncoder.Load(s_miniLmFiles.Value.Model, s_miniLmFiles.Value.Vocabulary));
    private static readonly Lazy<(TensorList Tensors, byte[] Vocabulary)> s_useLiteFiles = new(() => UseLitePackage.Read());
    private static readonly Lazy<UseLiteEncoder> s_useLite = new(() => UseLiteEncoder.Load());

    public static MiniLmEncoder MiniLm => AtHand(WeightPlaces.MiniLm, s_miniLm);

    public static (byte[] Model, byte[] Vocabulary) MiniLmFiles => AtHand(WeightPlaces.MiniLm, s_miniLmFiles);

    public static UseLiteEncoder UseLite => AtHand(WeightPlaces.UseLite, s_useLite);

    public static (TensorList Tensors, byte[] Vocabulary) UseLiteFiles => AtHand(WeightPlaces.UseLite, s_useLiteFiles);

    private static T AtHand<T>(Func<string> place, Lazy<T> files)
    {
        try
        {
            place();
        }
        catch (WeightsException e)
        {
            Assert.Skip(e.Message);
        }
        return files.Value;
    }
}
