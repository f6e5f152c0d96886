using System.Numerics;

namespace AttentionGen.Generator.Model;

/// <summary>The buckets of a bias of relative positions, as T5 has them; null where the user gave nothing.</summary>
internal sealed record RelativeSpec(int? GivenBuckets, int? GivenMaxDistance, bool? GivenBidirectional)
{
    /// <summary>The memory of a call for the biases of distances, as much as a thread has for keys and values.</summary>
    public const int MostBytes = 8 << 20;

    /// <summary>The largest distance for which it holds the biases of so many heads: of keys before and after the query, and of a widest vector more on either side.</summary>
    public static int MostDistance(int heads) => MostBytes / sizeof(float) / 2 / heads - 16;

    public int Buckets => GivenBuckets ?? 0;

    public int MaxDistance => GivenMaxDistance ?? 128;

    public bool Bidirectional => GivenBidirectional ?? true;

    /// <summary>Buckets of one direction.</summary>
    public int Side => Bidirectional ? Buckets / 2 : Buckets;

    /// <summary>The distances from 0 on that have a bucket of their own.</summary>
    public int Exact => Side / 2;

    /// <summary>
    /// The least distance of each bucket of a direction. Behind the exact ones, distance n falls into Exact + floor((Side - Exact) * ln(n / Exact) / ln(MaxDistance / Exact)), at
    /// most the last. Here the floor is exact, in integers: n is in bucket Exact + k or behind it where (n / Exact)^(Side - Exact) &gt;= (MaxDistance / Exact)^k. A logarithm
    /// in single precision agrees unless n stands on the border itself and rounding takes it to the other side.
    /// </summary>
    public IEnumerable<int> Starts
    {
        get
        {
            for (int bucket = 0; bucket < Exact; bucket++) yield return bucket;
            for (int k = 0; k < Side - Exact; k++)
            {
                int n = (int)(Exact * Math.Pow((double)MaxDistance / Exact, (double)k / (Side - Exact))); // one too small, or right
                while (!Reaches(n, k)) n++;
                while (Reaches(n - 1, k)) n--;
                yield return n;
            }
        }
    }

    private bool Reaches(int n, int k) =>
        BigInteger.Pow(n, Side - Exact) * BigInteger.Pow(Exact, k) >= BigInteger.Pow(MaxDistance, k) * BigInteger.Pow(Exact, Side - Exact);
}
