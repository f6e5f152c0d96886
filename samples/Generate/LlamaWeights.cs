namespace Generate;

/// <summary>The weights of a model, as its file has them.</summary>
internal sealed class LlamaWeights
{
    private LlamaWeights(LlamaFile file)
    {
        Shape = file.Shape;
        int dim = Shape.Dim, keyValueDim = Shape.KeyValueDim, hidden = Shape.Hidden;

        // In the order of the file.
        Embedding = file.Next(Shape.Vocabulary, dim);
        var attentionNorm = file.NextOfLayers(1, dim);
        var query = file.NextOfLayers(dim, dim);
        var key = file.NextOfLayers(keyValueDim, dim);
        var value = file.NextOfLayers(keyValueDim, dim);
        var output = file.NextOfLayers(dim, dim);
        var feedForwardNorm = file.NextOfLayers(1, dim);
        var gate = file.NextOfLayers(hidden, dim);
        var down = file.NextOfLayers(dim, hidden);
        var up = file.NextOfLayers(hidden, dim);
        FinalNorm = file.Next(1, dim);
        file.Skip((int)Shape.Tables);
        Classifier = Shape.OwnClassifier ? file.Next(Shape.Vocabulary, dim) : Embedding;

        Layers = [.. Enumerable.Range(0, Shape.Layers).Select(i => new LlamaLayer(
            attentionNorm[i], query[i], key[i], value[i], output[i], feedForwardNorm[i], gate[i], up[i], down[i]))];
    }

    public LlamaShape Shape { get; }

    public Matrix Embedding { get; }

    public Matrix Classifier { get; }

    public Matrix FinalNorm { get; }

    public LlamaLayer[] Layers { get; }

    /// <exception cref="InvalidDataException">The file is damaged, or the model has another shape than the kernel.</exception>
    public static LlamaWeights Read(string path) => new(LlamaFile.Read(path));
}

/// <summary>The weights of a layer. Those of a norm are a matrix of one row.</summary>
internal sealed record LlamaLayer(
    Matrix AttentionNorm, Matrix Query, Matrix Key, Matrix Value, Matrix Output,
    Matrix FeedForwardNorm, Matrix Gate, Matrix Up, Matrix Down);
