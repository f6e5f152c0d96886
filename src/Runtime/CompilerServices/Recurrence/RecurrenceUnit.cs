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
internal unsafe partial struct RecurrenceUnit<TVector>
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
}
