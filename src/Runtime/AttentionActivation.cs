namespace AttentionGen;

/// <summary>The function between two linear layers, for each element separately, or for pairs of elements where it is a gate.</summary>
public enum AttentionActivation
{
    /// <summary>x: the elements stay as they are.</summary>
    None = 0,

    /// <summary>max(x, 0).</summary>
    Relu = 1,

    /// <summary>x * (1 + erf(x / sqrt(2))) / 2: x times the probability that a normal number is less. BERT and GPT-NeoX have this form.</summary>
    /// <remarks>Hendrycks and Gimpel 2016, Gaussian Error Linear Units (GELUs), <see href="https://arxiv.org/abs/1606.08415"/>.</remarks>
    Gelu = 2,

    /// <summary>x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2: the other form of GELU, as in GPT-2 and Gemma. It differs from <see cref="Gelu"/> by up to 5e-4.</summary>
    /// <remarks>Hendrycks and Gimpel 2016, Gaussian Error Linear Units (GELUs), <see href="https://arxiv.org/abs/1606.08415"/>.</remarks>
    GeluTanh = 3,

    /// <summary>x / (1 + e^-x), also known as swish.</summary>
    /// <remarks>Elfwing, Uchibe and Doya 2017, Sigmoid-Weighted Linear Units for Neural Network Function Approximation in Reinforcement Learning, <see href="https://arxiv.org/abs/1702.03118"/>.</remarks>
    Silu = 4,

    /// <summary>
    /// a / (1 + e^-a) * b, where a is the first half of the columns and b the second: SwiGLU, as in Llama. The result has half as many columns.
    /// </summary>
    /// <remarks>Shazeer 2020, GLU Variants Improve Transformer, <see href="https://arxiv.org/abs/2002.05202"/>.</remarks>
    SiluGate = 5,
}
