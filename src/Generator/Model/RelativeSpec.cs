using System.Numerics;

namespace AttentionGen.Generator.Model;

/// <summary>The buckets of a relative position bias, as in T5. A property is null if the user did not give it.</summary>
internal sealed record RelativeSpec(int? GivenBuckets, int? GivenMaxDistance, bool? GivenBidirectional)
{
    /// <summary>The memory limit of the biases of a call, in bytes. A thread has as much for packed keys and values.</summary>
    public const int MostBytes = 8 << 20;

    /// <summary>
    /// The largest distance whose biases fit into <see cref="MostBytes"/> for a number of heads. The biases cover keys before and after the query, and one
    /// vector of 16 floats more on either side.
    /// </summary>
    public static int MostDistance(int heads) => MostBytes / sizeof(float) / 2 / heads - 16;

    public int Buckets => GivenBuckets ?? 0;

    public int MaxDistance => GivenMaxDistance ?? 128;

    public bool Bidirectional => GivenBidirectional ?? true;

    /// <summary>The number of buckets of one direction.</summary>
    public int Side => Bidirectional ? Buckets / 2 : Buckets;

    /// <summary>The number of distances, from 0 on, that have a bucket of their own.</summary>
    public int Exact => Side / 2;

    /// <summary>
    /// The least distance of each bucket of a direction. After the exact buckets, distance n is in bucket Exact + floor((Side - Exact) * ln(n / Exact) /
    /// ln(MaxDistance / Exact)), at most in the last one. The floor is computed in integers: n is in bucket Exact + k or a later one if (n / Exact)^(Side -
    /// Exact) &gt;= (MaxDistance / Exact)^k. A logarithm in single precision gives the same bucket, unless n is exactly on the border of two buckets.
    /// </summary>
    public IEnumerable<int> Starts
    {
        get
        {
            for (int bucket = 0; bucket < Exact; bucket++) yield return bucket;
            for (int k = 0; k < Side - Exact; k++)
            {
                int n = (int)(Exact * Math.Pow((double)MaxDistance / Exact, (double)k / (Side - Exact))); // may be off by one in either direction
                while (!Reaches(n, k)) n++;
                while (Reaches(n - 1, k)) n--;
                yield return n;
            }
        }
    }

    private bool Reaches(int n, int k) =>
        BigInteger.Pow(n, Side - Exact) * BigInteger.Pow(Exact, k) >= BigInteger.Pow(MaxDistance, k) * BigInteger.Pow(Exact, Side - Exact);
}
