using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Some key-value heads of an item: their tokens in order, in chunks where there are many, else one by one. All heads take a chunk before any takes the next: the rows of a token lie side by side. The state goes from chunk to chunk; inside a chunk all products are those of small matrices, for which
/// the library has cores (<see cref="ILinearCore"/>).
/// </summary>
/// <remarks>
/// <para>
/// With b_i the product of the factors of a chunk up to token i and D_ij that of the factors after j up to i, the output of token i is b_i q_i^T S + sum_{j &lt;= i} (q_i^T k_j) D_ij u_j, and the state after the
/// chunk is b S + sum_j D_cj k_j u_j^T (Yang et al. 2023, section 4). Without a correction u_j is v_j. With one, u_i = beta_i (v_i - b_i S^T k_i - sum_{j &lt; i} (k_i^T k_j) D_ij u_j): a triangular system, whose
/// blocks are solved in order (Yang et al. 2024, DeltaNet, section 3).
/// </para>
/// <para>
/// Factors are multiplied and never divided or taken from sums of logarithms: factors up to 1 never overflow, a chunk whose factors could is taken token by token, and a factor of 0, from a logarithm of -infinity, forgets
/// all before it. Where each element has factors of its own, D_ij belongs into the products: a query takes the factors from the start of its block of 16 rows on, and the keys before it those
/// up to there; inside the block keys take one factor after the other.
/// </para>
/// </remarks>
internal unsafe struct RecurrenceUnit<TVector>
    where TVector : struct, IFloats<TVector>
{
    /// <summary>Up to so many tokens are taken one by one: a chunk costs about as much as so many steps, whatever it has.</summary>
    private const int MostSteps = 8;

    private const int Rows = RecurrenceLayout.Rows;

    private RecurrenceArguments _call;
    private RecurrenceLayout _layout;
    private float* _memory;
    private int _batch, _first, _item, _firstHead; // of the unit
    private int _head, _index;                      // the head, and its place in the unit
    private float* _normalizer;                     // of the head; null without one
    private bool _isClear;

    public RecurrenceUnit(in RecurrenceArguments call, in RecurrenceLayout layout, float* memory)
    {
        (_call, _layout) = (call, layout);
        _memory = memory;
    }

    private readonly int D => _call.HeadDim;

    private readonly int V => _call.ValueDim;

    private readonly int InputRow => _layout.Plan.InputRow;

    private readonly int SumRow => _layout.Plan.SumRow;

    private readonly int PanelColumns => _layout.Plan.PanelColumns;

    private readonly float* KeyRow(int i) => _memory + _layout.KeyRows + i * _layout.KeyRow;

    private readonly float* QueryRow(int i) => _memory + _layout.QueryRows + i * _layout.KeyRow;

    /// <summary>The factors of a token: one, or one for each element.</summary>
    private readonly float* Factors(int i) => _memory + _layout.Factors + i * (_call.DecaysElements ? _layout.KeyRow : 1);

    private readonly float* Vector(int i) => _memory + _layout.Vectors + i * _layout.VectorRow;

    // The vectors: factors of a chunk so far, for tokens or elements; rates; denominators; the rest is for single rows.
    private readonly float* Cumulative => Vector(0);

    private readonly float* Betas => Vector(1);

    private readonly float* Denominators => Vector(2);

    private readonly float* Row => Vector(4);

    private readonly float* Ones => Vector(5);

    private readonly float* Other => Vector(6);

    private readonly float* Product => Vector(7);

    /// <param name="item">The item.</param>
    /// <param name="firstHead">The first head.</param>
    /// <param name="heads">The number of heads, at most those of the layout.</param>
    public void Run(int item, int firstHead, int heads)
    {
        var (batch, first, queries) = _call.Of(item, _call.Queries);
        var (_, _, keys) = _call.Of(item, _call.Keys);
        (_item, _batch, _first, _firstHead) = (item, batch, first, firstHead);
        if (_call.Causal && queries <= MostSteps && _call.State != null && (_call.Normalizer != null || !_call.Normalizes))
        {
            for (int i = 0; i < heads; i++)
            {
                Enter(i);
                Steps(State, V, _layout.Plan.GroupColumns, 0, queries);
            }

            return;
        }

        if (!_isClear) VectorRows.Clear(_memory, _layout.Floats); // what pads rows and panels stays 0
        _isClear = true;
        if (_call.Normalizes && _call.Normalizer == null) VectorRows.Clear(_memory + _layout.OwnNormalizers, (nint)heads * _layout.KeyRow);
        if (!_call.Causal)
        {
            for (int i = 0; i < heads; i++)
            {
                Enter(i);
                Bidirectional(queries, keys);
            }

            return;
        }

        for (int token = 0; token < queries; token += Rows)
        {
            int count = Math.Min(Rows, queries - token);
            for (int i = 0; i < heads; i++)
            {
                Enter(i);
                if (token == 0 && _call.State == null) VectorRows.Clear<TVector>(_memory + _layout.StateSums, SumRow, _layout.ValueGroups * D, SumColumns);
                else if (token == 0 || heads > 1) CopyState(isRead: true);
                if (token == 0 || heads > 1) PackState();
                Chunk(token, count);
                if (heads > 1 ? State != null : token + count == queries && _call.State != null) CopyState(isRead: false);
            }
        }
    }

    private void Enter(int index)
    {
        _index = index;
        _head = _firstHead + index;
        _normalizer = !_call.Normalizes ? null : _call.Normalizer != null ? _call.Normalizer + ((nint)_item * _call.KeyValueHeads + _head) * D : _memory + _layout.OwnNormalizers + index * _layout.KeyRow;
    }

    /// <summary>Where the state of the head lies between chunks: with the caller, or in the memory of the thread.</summary>
    private readonly float* State => _call.State != null ? _call.State + ((nint)_item * _call.KeyValueHeads + _head) * D * V : _memory + _layout.OwnStates + (nint)_index * D * V;

    /// <summary>The columns of a row of sums, up to whole vectors.</summary>
    private readonly int SumColumns => Math.Min(_layout.ValuePanels * PanelColumns, _layout.Plan.GroupColumns);

    /// <summary>All queries with all keys: the state of all keys, then its products with the queries.</summary>
    private void Bidirectional(int queries, int keys)
    {
        VectorRows.Clear<TVector>(_memory + _layout.StateSums, SumRow, _layout.ValueGroups * D, SumColumns);
        for (int first = 0; first < keys; first += Rows)
        {
            int count = Math.Min(Rows, keys - first);
            LoadKeys(first, count);
            LoadValues(first, count);
            Transpose(_memory + _layout.KeyRows, 0, count);
            Accumulate(count, null);
        }

        PackState();
        for (int first = 0; first < queries; first += Rows)
        {
            int count = Math.Min(Rows, queries - first);
            for (int head = _head * _call.Group; head < (_head + 1) * _call.Group; head++)
            {
                LoadQueries(first, count, head);
                ReadState(count, null);
                Write(first, count, head);
            }
        }
    }

    private void Chunk(int first, int count)
    {
        if (count <= MostSteps)
        {
            Steps(_memory + _layout.StateSums, SumRow, (nint)D * SumRow, first, count); // the last tokens: no product follows
            return;
        }

        LoadKeys(first, count);
        LoadFactors(first, count);
        if (!_call.DecaysElements) Transpose(_memory + _layout.KeyRows, 0, count);
        if (_call.Corrects) Correct(first, count);
        else LoadValues(first, count);
        if (!ValuesAreFinite(count) || !FactorsAreFinite(count))
        {
            // A weight of 0 would not keep a number that is not finite from the rows before it.
            Steps(_memory + _layout.StateSums, SumRow, (nint)D * SumRow, first, count);
            PackState();
            return;
        }

        for (int head = _head * _call.Group; head < (_head + 1) * _call.Group; head++)
        {
            LoadQueries(first, count, head);
            ReadState(count, _call.Decays ? Cumulative : null);
            if (_call.DecaysElements)
            {
                Within(_memory + _layout.QueryRows, count, isStrict: false, _memory + _layout.Weights);
            }
            else
            {
                Triangle(count);
                Mask(count, isStrict: false, _memory + _layout.Weights);
            }

            if (_normalizer != null)
                for (int i = 0; i < count; i++) Denominators[i] += Sum(_memory + _layout.Weights + i * InputRow, i + 1);
            MultiplyTriangle(count);
            Write(first, count, head);
        }

        Accumulate(count, _call.Decays && !_call.DecaysElements ? _memory + _layout.Decays + (count - 1) * RecurrenceLayout.DecayRow : null);
        PackState();
    }

    // ---- Rows as they are read and written

    private readonly float* Floats(in StridedTensor tensor, ElementType type, nint token, int head, int count)
    {
        byte* row = tensor.Row(_batch, _first + token, head);
        if (type == ElementType.Float) return (float*)row;
        var to = new Span<float>(Row, count);
        if (type == ElementType.Half) Narrowing.Widen(new ReadOnlySpan<Half>(row, count), to);
        else Narrowing.Widen(new ReadOnlySpan<BFloat16>(row, count), to);
        return Row;
    }

    private readonly void LoadKeys(int first, int count)
    {
        if (_call.KeyType == ElementType.Float) FeatureRows.Map<TVector>(Floats(_call.Key, _call.KeyType, first, _head, D), _call.Key.TokenStride, KeyRow(0), _layout.KeyRow, count, D, _call.Map, 1);
        else
            for (int i = 0; i < count; i++) FeatureRows.Map<TVector>(Floats(_call.Key, _call.KeyType, first + i, _head, D), KeyRow(i), D, _call.Map, 1);
    }

    private readonly void LoadQueries(int first, int count, int head)
    {
        if (_call.QueryType == ElementType.Float) FeatureRows.Map<TVector>(Floats(_call.Query, _call.QueryType, first, head, D), _call.Query.TokenStride, QueryRow(0), _layout.KeyRow, count, D, _call.Map, _call.Scale);
        else
            for (int i = 0; i < count; i++) FeatureRows.Map<TVector>(Floats(_call.Query, _call.QueryType, first + i, head, D), QueryRow(i), D, _call.Map, _call.Scale);
    }

    private readonly void LoadValues(int first, int count)
    {
        if (_call.KeyType == ElementType.Float) PackValues(0, Floats(_call.Value, _call.KeyType, first, _head, V), _call.Value.TokenStride, count);
        else
            for (int i = 0; i < count; i++) PackValues(i, Floats(_call.Value, _call.KeyType, first + i, _head, V), 0, 1);
        ClearValues(count);
    }

    /// <summary>Writes rows of values into their panels.</summary>
    private readonly void PackValues(int row, float* from, nint stride, int rows)
    {
        float* to = _memory + _layout.Values + row * PanelColumns;
        for (int column = 0; column < V; column += PanelColumns, to += _layout.ValuePanel) VectorRows.Copy<TVector>(from + column, stride, to, PanelColumns, rows, Math.Min(PanelColumns, V - column));
    }

    /// <summary>Clears the rows of values up to a multiple of four, which products read.</summary>
    private readonly void ClearValues(int count)
    {
        int end = RecurrenceLayout.Up(count, 4);
        for (int panel = 0; panel < _layout.ValuePanels; panel++) VectorRows.Clear<TVector>(_memory + _layout.Values + panel * _layout.ValuePanel + count * PanelColumns, PanelColumns, end - count, PanelColumns);
    }

    /// <summary>The rates, the factors of the tokens, and what follows from them: the factors of the chunk so far, and those between two tokens.</summary>
    private readonly void LoadFactors(int first, int count)
    {
        if (_call.Corrects)
            for (int i = 0; i < count; i++) Betas[i] = *_call.Beta.At(_batch, _first + first + i, _head);
        if (!_call.Decays) return;
        if (_call.DecaysElements)
        {
            for (int i = 0; i < count; i++) FeatureRows.Exponentials<TVector>(_call.Decay.At(_batch, _first + first + i, _head), Factors(i), D);
            return;
        }

        for (int i = 0; i < count; i++) Row[i] = *_call.Decay.At(_batch, _first + first + i, _head);
        FeatureRows.Exponentials<TVector>(Row, Factors(0), count);
        float product = 1;
        for (int i = 0; i < count; i++) Cumulative[i] = product *= *Factors(i);
        Between(_memory + _layout.Decays, Factors(0), count);
    }

    /// <summary>D_ij, the product of the factors after j up to i: 1 for i = j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Between(float* decays, float* factors, int count)
    {
        float* one = stackalloc float[33];
        VectorRows.Clear(one, 33);
        one[16] = 1;
        for (int i = 0; i < count; i++, decays += RecurrenceLayout.DecayRow)
        {
            var factor = TVector.All(factors[i]);
            int own = i / TVector.Count * TVector.Count;
            for (int j = 0; j < own; j += TVector.Count) TVector.Store(TVector.Load(decays - RecurrenceLayout.DecayRow + j) * factor, decays + j);
            var last = TVector.Load(one + 16 - (i - own)); // 1 in the place of i
            if (i > own) last = TVector.MulAdd(TVector.Load(decays - RecurrenceLayout.DecayRow + own), factor, last);
            TVector.Store(last, decays + own);
        }
    }

    private readonly void Write(int first, int count, int head)
    {
        for (int group = 0; group < _layout.ValueGroups && _normalizer != null; group++)
            VectorRows.Divide<TVector>(_memory + _layout.Sums + (nint)group * Rows * SumRow, SumRow, Denominators, count, Math.Min(V - group * _layout.Plan.GroupColumns, _layout.Plan.GroupColumns));
        if (_call.OutputType == ElementType.Float)
        {
            float* to = (float*)_call.Output.Row(_batch, _first + first, head);
            for (int column = 0, group = 0; column < V; column += _layout.Plan.GroupColumns, group++)
                VectorRows.Copy<TVector>(_memory + _layout.Sums + (nint)group * Rows * SumRow, SumRow, to + column, _call.Output.TokenStride, count, Math.Min(V - column, _layout.Plan.GroupColumns));
            return;
        }

        for (int i = 0; i < count; i++)
        {
            float* sums = _memory + _layout.Sums + i * SumRow;
            byte* output = _call.Output.Row(_batch, _first + first + i, head);
            for (int group = 0; group < _layout.ValueGroups; group++, sums += (nint)Rows * SumRow)
            {
                int column = group * _layout.Plan.GroupColumns, columns = Math.Min(V - column, _layout.Plan.GroupColumns);
                Store(sums, columns, output, column);
            }
        }
    }

    private readonly void Store(float* from, int count, byte* output, int column)
    {
        var row = new ReadOnlySpan<float>(from, count);
        switch (_call.OutputType)
        {
            case ElementType.Float: row.CopyTo(new Span<float>((float*)output + column, count)); break;
            case ElementType.Half: Narrowing.Narrow(row, new Span<Half>((Half*)output + column, count)); break;
            default: Narrowing.Narrow(row, new Span<BFloat16>((BFloat16*)output + column, count)); break;
        }
    }

    // ---- The state

    private readonly void CopyState(bool isRead)
    {
        for (int group = 0; group < _layout.ValueGroups; group++)
        {
            int column = group * _layout.Plan.GroupColumns, columns = Math.Min(V - column, _layout.Plan.GroupColumns);
            float* own = State + column, sums = _memory + _layout.StateSums + (nint)group * D * SumRow;
            if (isRead) VectorRows.Copy<TVector>(own, V, sums, SumRow, D, columns);
            else VectorRows.Copy<TVector>(sums, SumRow, own, V, D, columns);
        }
    }

    /// <summary>Copies the state into panels, as the right operand of products.</summary>
    private readonly void PackState()
    {
        int groupPanels = _layout.Plan.GroupColumns / PanelColumns;
        for (int panel = 0; panel < _layout.ValuePanels; panel++)
        {
            float* from = _memory + _layout.StateSums + (nint)(panel / groupPanels) * D * SumRow + panel % groupPanels * PanelColumns;
            VectorRows.Copy<TVector>(from, SumRow, _memory + _layout.StatePanels + panel * _layout.StatePanel, PanelColumns, D, PanelColumns);
        }
    }

    /// <summary>The outputs and denominators that the queries have from the state before the chunk.</summary>
    private readonly void ReadState(int count, float* cumulative)
    {
        bool ofElements = cumulative != null && _call.DecaysElements;
        Pack(_memory + _layout.QueryRows, 0, count, ofElements ? Cumulative : null);
        ClearSums(_memory + _layout.Sums, count);
        MultiplyState(count, _memory + _layout.Sums);
        if (_normalizer != null)
            for (int i = 0; i < count; i++) Denominators[i] = DotLeft(i, _normalizer) * (cumulative != null && !ofElements ? cumulative[i] : 1);
        if (cumulative != null && !ofElements) ScaleSums(_memory + _layout.Sums, count, cumulative);
    }

    /// <summary>The product of a packed row with a vector over its elements.</summary>
    private readonly float DotLeft(int row, float* vector)
    {
        float sum = 0;
        for (int block = 0, from = 0; from < D; block++, from += _layout.Plan.BlockDepth)
            sum += VectorRows.Dot<TVector>(_memory + _layout.Left + ((nint)block * Rows + row) * InputRow, vector + from, Math.Min(D - from, _layout.Plan.BlockDepth));
        return sum;
    }

    private readonly void ScaleSums(float* sums, int count, float* factors)
    {
        for (int group = 0; group < _layout.ValueGroups; group++, sums += (nint)Rows * SumRow)
            VectorRows.Scale<TVector>(sums, SumRow, factors, 1, count, Math.Min(V - group * _layout.Plan.GroupColumns, _layout.Plan.GroupColumns));
    }

    private readonly void ClearSums(float* sums, int count)
    {
        for (int group = 0; group < _layout.ValueGroups; group++, sums += (nint)Rows * SumRow) VectorRows.Clear<TVector>(sums, SumRow, count, SumColumns);
    }

    /// <summary>The state after a chunk, from the transposed keys and the values; with the factors of each token to the end of the chunk.</summary>
    private readonly void Accumulate(int count, float* toEnd)
    {
        int end = RecurrenceLayout.Up(count, 4), step = _call.DecaysElements ? 1 : 0;
        float* across = _memory + _layout.Across, factors = _call.DecaysElements ? Cumulative : Cumulative + (count - 1);
        for (int panel = 0, from = 0; from < count; panel++, from += PanelColumns) PackAcross(_memory + _layout.Keys + panel * _layout.KeyPanel, toEnd == null ? null : toEnd + from, across + from, InputRow, D);
        if (end > count)
            for (int d = 0; d < D; d++)
                for (int i = count; i < end; i++) across[d * InputRow + i] = 0;
        if (_normalizer != null)
            for (int d = 0; d < D; d++) _normalizer[d] = _normalizer[d] * (_call.Decays ? factors[d * step] : 1) + Sum(across + d * InputRow, count);
        if (_call.Decays) VectorRows.Scale<TVector>(_memory + _layout.StateSums, SumRow, factors, step, D, SumColumns);
        for (int group = 1; group < _layout.ValueGroups && _call.Decays; group++) VectorRows.Scale<TVector>(_memory + _layout.StateSums + (nint)group * D * SumRow, SumRow, factors, step, D, SumColumns);

        for (int panel = 0; panel < _layout.ValuePanels; panel++)
            Multiply(_memory + _layout.Across, D, _memory + _layout.Values + panel * _layout.ValuePanel, count, SumsOf(_memory + _layout.StateSums, D, panel));
    }

    /// <summary>Copies a panel of transposed keys into rows, as the left operand of products; each column times its factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackAcross(float* keys, float* factors, float* to, int row, int rows)
    {
        TVector f0 = TVector.All(1), f1 = f0;
        if (factors != null) (f0, f1) = (TVector.Load(factors), TVector.Load(factors + TVector.Count));
        for (; rows > 0; rows--, keys += 2 * TVector.Count, to += row)
        {
            TVector.Store(TVector.Load(keys) * f0, to);
            TVector.Store(TVector.Load(keys + TVector.Count) * f1, to + TVector.Count);
        }
    }

    private static float Sum(float* row, int count)
    {
        var sum = TVector.All(0);
        for (int i = 0; i < count; i += TVector.Count) sum += VectorRows.Load<TVector>(row + i, count - i);
        return TVector.Sum(sum);
    }

    // ---- Products

    private static void Multiply(float* input, int rows, float* panel, int depth, float* sums) => LinearCores.Best.Multiply(ref *input, ref *panel, ref *panel, depth, rows, ref *sums);

    /// <summary>The sums of a panel of columns.</summary>
    private readonly float* SumsOf(float* sums, int rows, int panel)
    {
        var (group, own) = Math.DivRem(panel, _layout.Plan.GroupColumns / PanelColumns);
        return sums + (nint)group * rows * SumRow + own * PanelColumns;
    }

    /// <summary>The product of the packed rows with a panel over the elements of a key head.</summary>
    private readonly void MultiplyLeft(int first, int rows, float* panel, float* sums)
    {
        for (int block = 0, from = 0; from < D; block++, from += _layout.Plan.BlockDepth)
            Multiply(_memory + _layout.Left + ((nint)block * Rows + first) * InputRow, rows, panel + from * PanelColumns, Math.Min(D - from, _layout.Plan.BlockDepth), sums);
    }

    private readonly void MultiplyState(int count, float* sums)
    {
        for (int panel = 0; panel < _layout.ValuePanels; panel++) MultiplyLeft(0, count, _memory + _layout.StatePanels + panel * _layout.StatePanel, SumsOf(sums, Rows, panel));
    }

    /// <summary>The products of the packed rows with the keys, up to the diagonal at least.</summary>
    private readonly void Triangle(int count)
    {
        for (int panel = 0, from = 0; from < count; panel++, from += PanelColumns)
        {
            float* scores = _memory + _layout.Scores + (nint)from * SumRow + from;
            VectorRows.Clear<TVector>(scores, SumRow, count - from, PanelColumns);
            MultiplyLeft(from, count - from, _memory + _layout.Keys + panel * _layout.KeyPanel, scores);
        }
    }

    /// <summary>The end of the columns that products read of a row of weights: that of its tile, a multiple of four.</summary>
    private readonly int EndOf(int row) => RecurrenceLayout.Up((row / _layout.Plan.TileRows + 1) * _layout.Plan.TileRows, 4);

    /// <summary>The weights from the scores: those up to a row, or before it, times the factors between the two tokens; with corrections, times the negative rate of the row.</summary>
    private readonly void Mask(int count, bool isStrict, float* weights) => Mask(
        _memory + _layout.Scores, SumRow, _call.Decays ? _memory + _layout.Decays : null, isStrict ? Betas : null, weights, InputRow, count, isStrict ? 0 : 1, _layout.Plan.TileRows);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Mask(float* scores, int scoreRow, float* decays, float* rates, float* weights, int weightRow, int count, int more, int tile)
    {
        int end = 0;
        for (int i = 0; i < count; i++, scores += scoreRow, weights += weightRow)
        {
            if (i >= end) end += tile;
            int columns = i + more, j = 0, last = Math.Min(RecurrenceLayout.Up(end, 4), RecurrenceLayout.Up(Rows, 16));
            var rate = TVector.All(rates == null ? 1 : -rates[i]);
            for (; j < columns; j += TVector.Count)
            {
                var x = TVector.Load(scores + j) * rate;
                if (decays != null) x *= TVector.Load(decays + j);
                if (columns - j < TVector.Count) x = TVector.KeepFirst(x, columns - j);
                TVector.Store(x, weights + j);
            }

            for (; j < last; j += TVector.Count) TVector.Store(TVector.All(0), weights + j);
            if (decays != null) decays += RecurrenceLayout.DecayRow;
        }
    }

    /// <summary>Adds the products of the weights with the values to the outputs: of each tile of rows only up to its last row.</summary>
    private readonly void MultiplyTriangle(int count)
    {
        int tile = _layout.Plan.TileRows;
        for (int from = 0; from < count; from += tile)
        {
            int rows = Math.Min(tile, count - from);
            for (int panel = 0; panel < _layout.ValuePanels; panel++)
                Multiply(_memory + _layout.Weights + from * InputRow, rows, _memory + _layout.Values + panel * _layout.ValuePanel, from + rows, SumsOf(_memory + _layout.Sums, Rows, panel) + (nint)from * SumRow);
        }
    }

    /// <summary>Packs rows as the left operand of products; with factors, each row times those of all rows from the first on, which stay.</summary>
    private readonly void Pack(float* rows, int first, int count, float* cumulative)
    {
        for (int block = 0, from = 0; from < D; block++, from += _layout.Plan.BlockDepth)
        {
            float* own = rows + first * _layout.KeyRow + from, to = _memory + _layout.Left + (nint)block * Rows * InputRow;
            int columns = Math.Min(D - from, _layout.Plan.BlockDepth);
            if (cumulative == null) VectorRows.Copy<TVector>(own, _layout.KeyRow, to, InputRow, count, columns);
            else PackDecayed(own, Factors(first) + from, _layout.KeyRow, cumulative + from, to, InputRow, count, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackDecayed(float* rows, float* factors, int stride, float* cumulative, float* to, int toStride, int count, int columns)
    {
        for (int d = 0; d < columns; d += TVector.Count)
        {
            var product = TVector.All(1);
            for (int i = 0; i < count; i++)
            {
                product *= VectorRows.Load<TVector>(factors + i * stride + d, columns - d);
                VectorRows.Store(VectorRows.Load<TVector>(rows + i * stride + d, columns - d) * product, to + i * toStride + d, columns - d);
            }

            VectorRows.Store(product, cumulative + d, columns - d);
        }
    }

    /// <summary>Writes rows as columns of the panels of keys.</summary>
    private readonly void Transpose(float* rows, int first, int count)
    {
        int step = KernelIsa.Avx2 ? 8 : 4;
        for (int i = 0; i < count; i += step)
        {
            int column = first + i;
            float* to = _memory + _layout.Keys + column / PanelColumns * _layout.KeyPanel + column % PanelColumns, from = rows + i * _layout.KeyRow;
            for (int d = 0; d < D; d += step)
            {
                ref float source = ref *(from + d), target = ref *(to + d * PanelColumns);
                if (KernelIsa.Avx2) Vectors256.Transpose8(ref source, _layout.KeyRow, count - i - 1, ref target, PanelColumns);
                else if (KernelIsa.Neon) Vectors128.Transpose4(ref source, _layout.KeyRow, count - i - 1, ref target, PanelColumns);
                else
                {
                    for (int j = 0; j < Math.Min(step, count - i); j++)
                        for (int e = 0; e < Math.Min(step, D - d); e++) Unsafe.Add(ref target, e * PanelColumns + j) = Unsafe.Add(ref source, j * _layout.KeyRow + e);
                }
            }
        }
    }

    // ---- Factors of elements

    /// <summary>
    /// The products of rows with the keys before them, or up to them, with the factors of each element between the two. The keys end with their factors up to the end of the chunk, in panels.
    /// </summary>
    private readonly void Within(float* rows, int count, bool isStrict, float* target)
    {
        float* factors = Other, advanced = _memory + _layout.Advanced;
        for (int first = 0; first < count; first += RecurrenceLayout.BlockRows)
        {
            int block = Math.Min(RecurrenceLayout.BlockRows, count - first);
            Pack(rows, first, block, factors);
            if (first > 0)
            {
                float* scores = _memory + _layout.Scores + first * SumRow;
                for (int panel = 0, from = 0; from < first; panel++, from += PanelColumns)
                {
                    VectorRows.Clear<TVector>(scores + from, SumRow, block, PanelColumns);
                    MultiplyLeft(0, block, _memory + _layout.Keys + panel * _layout.KeyPanel, scores + from);
                    AdvanceKeys(_memory + _layout.Keys + panel * _layout.KeyPanel, factors, D);
                }

                for (int i = 0; i < block; i++, scores += SumRow) new ReadOnlySpan<float>(scores, first).CopyTo(new Span<float>(target + (first + i) * InputRow, first));
            }

            for (int i = 0; i < block; i++)
            {
                int own = first + i, end = Math.Min(EndOf(own), RecurrenceLayout.Up(Rows, 16));
                float* row = rows + own * _layout.KeyRow, weights = target + own * InputRow;
                for (int j = 0; j < i; j++) weights[first + j] = VectorRows.AdvanceDot<TVector>(advanced + j * _layout.KeyRow, Factors(own), row, _layout.KeyRow);
                new ReadOnlySpan<float>(KeyRow(own), _layout.KeyRow).CopyTo(new Span<float>(advanced + i * _layout.KeyRow, _layout.KeyRow));
                weights[own] = isStrict ? 0 : VectorRows.Dot<TVector>(KeyRow(own), row, D);
                for (int j = own + 1; j < end; j++) weights[j] = 0;
            }

            Transpose(advanced, first, block);
        }
    }

    /// <summary>Multiplies the columns of a panel of keys by a factor for each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AdvanceKeys(float* panel, float* factors, int depth)
    {
        for (int d = 0; d < depth; d++, panel += 2 * TVector.Count)
        {
            var factor = TVector.All(factors[d]);
            TVector.Store(TVector.Load(panel) * factor, panel);
            TVector.Store(TVector.Load(panel + TVector.Count) * factor, panel + TVector.Count);
        }
    }

    // ---- Corrections

    /// <summary>What the values of a chunk change after the corrections, in place of the values.</summary>
    private readonly void Correct(int first, int count)
    {
        float* mixing = _memory + _layout.Mixing, solved = _memory + _layout.Solved;
        Pack(_memory + _layout.KeyRows, 0, count, _call.DecaysElements ? Cumulative : null);
        ClearSums(solved, count);
        MultiplyState(count, solved);
        for (int i = 0; i < count; i++)
        {
            float* value = Floats(_call.Value, _call.KeyType, first + i, _head, V);
            float decayed = _call.Decays && !_call.DecaysElements ? Cumulative[i] : 1;
            for (int group = 0; group < _layout.ValueGroups; group++)
            {
                int column = group * _layout.Plan.GroupColumns;
                Differ(solved + ((nint)group * Rows + i) * SumRow, value + column, decayed, Betas[i], Math.Min(V - column, _layout.Plan.GroupColumns));
            }
        }

        if (_call.DecaysElements)
        {
            Within(_memory + _layout.KeyRows, count, isStrict: true, mixing);
            for (int i = 0; i < count; i++) VectorRows.Scale<TVector>(mixing + i * InputRow, -Betas[i], i);
        }
        else
        {
            Triangle(count);
            Mask(count, isStrict: true, mixing);
        }

        int groupPanels = _layout.Plan.GroupColumns / PanelColumns;
        for (int from = 0; from < count; from += RecurrenceLayout.SolvedRows)
        {
            int rows = Math.Min(RecurrenceLayout.SolvedRows, count - from);
            for (int panel = 0; panel < _layout.ValuePanels; panel++)
            {
                float* sums = SumsOf(solved, Rows, panel) + (nint)from * SumRow, values = _memory + _layout.Values + panel * _layout.ValuePanel;
                if (from > 0) Multiply(mixing + from * InputRow, rows, values, from, sums);
                Solve(mixing + from * InputRow + from, InputRow, sums, SumRow, rows);
                VectorRows.Copy<TVector>(sums, SumRow, values + from * PanelColumns, PanelColumns, rows, PanelColumns);
            }
        }

        ClearValues(count);
    }

    /// <summary>rate * (value - decayed * sums) in place of the sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Differ(float* sums, float* value, float decayed, float rate, int count)
    {
        for (int i = 0; i < count; i += TVector.Count)
            VectorRows.Store(TVector.All(rate) * TVector.MulAdd(TVector.All(-decayed), VectorRows.Load<TVector>(sums + i, count - i), VectorRows.Load<TVector>(value + i, count - i)), sums + i, count - i);
    }

    /// <summary>Adds to each row of a panel the rows before it, times their factors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Solve(float* factors, int factorRow, float* sums, int sumRow, int rows)
    {
        for (int i = 1; i < rows; i++)
        {
            float* own = sums + i * sumRow, other = sums, factor = factors + i * factorRow;
            TVector x0 = TVector.Load(own), x1 = TVector.Load(own + TVector.Count);
            for (int j = 0; j < i; j++, other += sumRow)
            {
                var f = TVector.All(factor[j]);
                x0 = TVector.MulAdd(f, TVector.Load(other), x0);
                x1 = TVector.MulAdd(f, TVector.Load(other + TVector.Count), x1);
            }

            TVector.Store(x0, own);
            TVector.Store(x1, own + TVector.Count);
        }
    }

    /// <summary>Whether no product of factors that follow each other is infinite: factors above 1 may grow over a chunk where the recurrence has nothing to multiply.</summary>
    private readonly bool FactorsAreFinite(int count)
    {
        if (!_call.Decays) return true;
        if (_call.DecaysElements) return AreBounded(Factors(0), _layout.KeyRow, count, D);
        float most = 1;
        for (int i = 0; i < count; i++) most *= Math.Max(1, *Factors(i));
        return float.IsFinite(most);
    }

    /// <summary>Whether the products of the numbers above 1 of each column are finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static bool AreBounded(float* factors, nint stride, int rows, int columns)
    {
        TVector one = TVector.All(1), zero = TVector.All(0);
        for (int d = 0; d < columns; d += TVector.Count)
        {
            var most = one;
            for (int i = 0; i < rows; i++) most *= TVector.Max(one, VectorRows.Load<TVector>(factors + i * stride + d, columns - d));
            zero += most * TVector.All(0);
        }

        return TVector.Sum(zero) == 0;
    }

    private readonly bool ValuesAreFinite(int count)
    {
        float zero = 0;
        for (int panel = 0; panel < _layout.ValuePanels; panel++) zero += Zeros(_memory + _layout.Values + panel * _layout.ValuePanel, count * PanelColumns);
        return zero == 0;
    }

    /// <summary>The sum of the numbers times 0: NaN if one is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Zeros(float* from, int count)
    {
        TVector sum = TVector.All(0), zero = sum;
        for (int i = 0; i < count; i += TVector.Count) sum = TVector.MulAdd(TVector.Load(from + i), zero, sum);
        return TVector.Sum(sum);
    }

    // ---- One by one

    /// <summary>Tokens one after the other.</summary>
    /// <param name="state">The state.</param>
    /// <param name="row">Floats from row to row of it.</param>
    /// <param name="group">Floats from a group of columns to the next.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">The number of tokens.</param>
    private readonly void Steps(float* state, nint row, nint group, int first, int count)
    {
        float* key = KeyRow(0), query = QueryRow(0), sums = _memory + _layout.Sums;
        nint ahead = state == State && _index + 1 < _layout.UnitHeads ? (nint)D * V : 0;
        var token = new RecurrenceToken { Depth = D, Key = key, Query = query, Factors = Ones, Decayed = _call.Corrects ? Product : null, DecayedQuery = Other, Ahead = ahead };
        for (int i = first; i < first + count; i++)
        {
            FeatureRows.Map<TVector>(Floats(_call.Key, _call.KeyType, i, _head, D), key, D, _call.Map, 1);
            if (!_call.Decays)
            {
                VectorRows.Fill(Ones, 1, D);
            }
            else if (_call.DecaysElements)
            {
                FeatureRows.Exponentials<TVector>(_call.Decay.At(_batch, _first + i, _head), Ones, D);
            }
            else
            {
                FeatureRows.Exponentials<TVector>(_call.Decay.At(_batch, _first + i, _head), Other, 1);
                VectorRows.Fill(Ones, *Other, D);
            }

            if (_call.Corrects)
            {
                token.Beta = *_call.Beta.At(_batch, _first + i, _head);
                VectorRows.Multiply<TVector>(key, Ones, Product, D);
            }

            if (_normalizer != null)
                for (int d = 0; d < D; d++) _normalizer[d] = _normalizer[d] * Ones[d] + key[d];
            for (int own = _head * _call.Group; own < (_head + 1) * _call.Group; own++)
            {
                FeatureRows.Map<TVector>(Floats(_call.Query, _call.QueryType, i, own, D), query, D, _call.Map, _call.Scale);
                float* value = own == _head * _call.Group ? Floats(_call.Value, _call.KeyType, i, _head, V) : null;
                if (value != null && _call.Corrects)
                {
                    VectorRows.Multiply<TVector>(query, Ones, Other, D);
                    token.Same = VectorRows.Dot<TVector>(query, key, D);
                }

                float denominator = _normalizer == null ? 1 : VectorRows.Dot<TVector>(query, _normalizer, D);
                byte* output = _call.Output.Row(_batch, _first + i, own);
                for (int column = 0, part = 0; column < V; column += _layout.Plan.GroupColumns, part++)
                {
                    int columns = Math.Min(V - column, _layout.Plan.GroupColumns);
                    if (value != null) RecurrenceStep.Update<TVector>(state + part * group, row, token, value + column, columns, sums);
                    else RecurrenceStep.Read<TVector>(state + part * group, row, query, D, columns, sums);
                    if (_normalizer != null) VectorRows.Divide<TVector>(sums, 0, &denominator, 1, columns);
                    Store(sums, columns, output, column);
                }
            }
        }
    }
}
