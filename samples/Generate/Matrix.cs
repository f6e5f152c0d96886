using System.Numerics.Tensors;

namespace Generate;

/// <summary>A weight matrix, row after row.</summary>
internal readonly record struct Matrix(ReadOnlyMemory<float> Elements, int Columns)
{
    public int Rows => Elements.Length / Columns;

    public ReadOnlySpan<float> Row(int row) => Elements.Span.Slice(row * Columns, Columns);

    /// <summary>y = W x for each token. A row of weights meets all tokens before the next one is read.</summary>
    /// <param name="x">[tokens, columns].</param>
    /// <param name="y">[tokens, rows].</param>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y)
    {
        var elements = Elements.Span;
        int rows = Rows, tokens = x.Length / Columns;
        for (int row = 0; row < rows; row++)
        {
            var weights = elements.Slice(row * Columns, Columns);
            for (int token = 0; token < tokens; token++)
                y[token * rows + row] = TensorPrimitives.Dot(weights, x.Slice(token * Columns, Columns));
        }
    }
}
