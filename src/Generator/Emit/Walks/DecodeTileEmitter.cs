using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>
/// Writes the tiles of decode: some query rows times some keys in place, in as many accumulators as the machine has registers for. Each key and each value is loaded once for all rows of
/// a tile. The weights of a tile lie key by key, the rows side by side: a key then costs one store and one line of the cache.
/// </summary>
internal static class DecodeTileEmitter
{
    /// <summary>The method that says how many keys a tile of some rows takes in a step.</summary>
    public static void Together(SourceWriter w, CorePlan plan)
    {
        var kinds = plan.Decode!.Kinds;
        w.Line();
        w.Line("/// <summary>The keys that tiles of so many rows take together.</summary>");
        w.Line($"private static int Together(int tile) => {string.Concat(kinds.Take(kinds.Count - 1).Select(kind => $"tile == {kind.Rows} ? {kind.Keys} : "))}{kinds[kinds.Count - 1].Keys};");
    }

    /// <summary>The loop over the rows of a head: the tiles of a kind at once, each kind in a method of its own, because a call seldom needs all of them and its first pays for each.</summary>
    /// <param name="product">What is multiplied.</param>
    /// <param name="count">The steps; `together` is the number of keys of each.</param>
    /// <param name="first">The first key.</param>
    public static void Calls(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible, DecodeProduct product, string count, string first)
    {
        using (w.Block("for (int row = 0, tile, tiles; row < rows; row += tiles * tile)"))
        {
            // Copies are in the cache; where scores hide keys, the values of a row may be added one by one, in the order of all steps.
            bool inPages = plan.Spec.InPages, groups = !inPages && dialect.Prefetches && !plan.Spec.Scores.Hides && !(product.IsScores && plan.Spec.Loads.CopiesKeys);
            string group = $"{(product.IsScores ? "streams && " : "")}tile > 1 ? Math.Min(count, {KernelPlanner.GroupSteps}) : count"; // not by strides: all layouts have the same bits
            w.Line($"""
                tile = TileOf(row, rows, TileKinds, out _);
                tiles = tile == 1 ? rows - row : (rows - row) / tile;
                {(inPages ? "" : $"int together = Together(tile), count = {count}{(groups ? $", some = {group}" : "")};")}
                """.TrimEnd());
            string arguments = inPages ? (product.IsScores ? "in block, ref query, " : "in block, ") + "in run, page, keys" : product.IsScores ? "in block, ref query, ref key, keys" : "in block, ref value", bounds = !product.IsScores ? "" : ", streams" + (visible.UpperMoves ? ", seen" : "");
            var kinds = plan.Decode!.Kinds;
            using (groups ? w.Block($"for (int from = {first}; count > 0; from += some * together, count -= some, some = Math.Min(some, count))") : null)
            {
                for (int kind = 0; kind < kinds.Count; kind++)
                {
                    string condition = kinds[kind].Rows == 1 ? "else " : $"{(kind == 0 ? "" : "else ")}if (tile == {kinds[kind].Rows}) ";
                    w.Line($"{condition}{product.Method(kinds[kind])}{plan.Halves}({arguments}, ref weights, row, tiles, {(inPages ? first : groups ? "some, from" : $"count, {first}")}{bounds});");
                }
            }
        }
    }

    /// <summary>
    /// The methods of the kinds of tiles. Their loops run over keys, heads and tiles: all heads before the next keys, in the order of memory. The keys of a step are neighbours, or, where all
    /// rows see all keys of a block, streams: one key from each part of the block, so that the processor reads several places ahead. Which of the two depends on the bounds of the rows alone.
    /// Values of rows that see different keys do not come here.
    /// </summary>
    /// <param name="product">What is multiplied.</param>
    /// <param name="body">The products of a tile.</param>
    public static void Methods(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible, DecodeProduct product, Action<DecodeTile> body)
    {
        foreach (var tile in plan.Decode!.Kinds) Method(w, plan, dialect, visible, product, tile, body);
    }

    private static void Method(SourceWriter w, CorePlan plan, Dialect dialect, VisibleKeys visible, DecodeProduct product, DecodeTile tile, Action<DecodeTile> body)
    {
        var (_, source, type, stride, dim, row, rows, rowLength) = product;
        string name = product.Name, rowsOfTile = $"{tile.Rows} row{(tile.Rows > 1 ? "s" : "")} x {tile.Keys} keys", times = tile.Rows == 1 ? "" : $"{tile.Rows} * ";
        w.Line();
        w.Line($"/// <summary>{(product.IsScores ? "Scores" : "Values")} of tiles of {rowsOfTile}.</summary>");
        w.Line(GeneratedCode.CoreMethod);
        bool inPages = plan.Spec.InPages;
        string keys = inPages ? PagesEmitter.Parameters : product.IsScores ? $"ref {type} key, int keys" : $"ref {type} value";
        string parameters = product.IsScores ? $"ref float query, {keys}" : keys, bounds = !product.IsScores ? "" : ", bool streams" + (visible.UpperMoves ? ", int seen" : "");
        bool skips = product.IsScores && visible.UpperMoves;
        string weightRow = tile.Rows > 1 ? "WeightRow" : "weightRow"; // several rows of a head are never in the longer blocks of single rows
        using (w.Block($"private static void {product.Method(tile)}{plan.Halves}(in DecodeBlock block, {parameters}, ref float weights, int row, int tiles, {(inPages ? "int from" : "int count, int first")}{bounds}){plan.WhereHalves}"))
        {
            string owner = product.IsScores ? "Key" : "Value", ahead = dialect.Prefetches ? $", ahead = {AheadOf(plan, tile, dim, product.IsScores ? plan.ScoredKeys : plan.Spec.Elements.Value)} * stride" : "";
            w.Line($"int heads = block.KeyHeads, rows = block.HeadRows{(tile.Rows > 1 ? "" : ", weightRow = BlockOf(in block).WeightRow")};\nnint stride = {stride}, headStride = block.{owner}HeadStride{(inPages && tile.Rows == 1 ? ahead : "")};");
            if (inPages)
            {
                using (PagesEmitter.Loop(w, product.IsScores ? "KeysOf" : "ValuesOf", type, tile.Keys, product.IsScores, dialect.Prefetches && tile.Rows > 1))
                using (w.Block("for (nint left = count, j = 0; left > 0; left--, j += next)"))
                {
                    if (product.IsScores) w.Line("nint last = some == 1 ? (of - 1 - j) * stride : nint.MaxValue;");
                    w.Line($"ref {type} {name}0 = ref At(ref origin, j * stride);");
                    Heads("(from + j)");
                }

                return;
            }

            w.Line($"nint {(product.IsScores ? $"apart = streams ? count : 1, next = streams ? 1 : {tile.Keys}" : "apart = count")}, far = apart * stride{ahead};");
            if (dialect.Prefetches && tile.Rows == 1) w.Line($"nint tokens = {DecodeStreams.TokensAhead(dim)} * stride;");
            using (w.Block($"for (nint left = count, j = first; left > 0; left--, j{(product.IsScores ? " += next" : "++")})"))
            {
                if (product.IsScores) w.Line("nint last = (keys - 1 - j) * stride;");
                w.Line($"ref {type} {name}0 = ref At(ref {source}, j * stride);");
                if (dialect.Prefetches && tile.Rows == 1)
                    w.Line($"for (nint i = 0; {(product.IsScores ? "streams && " : "")}i < (heads - 1) * headStride + {dim}; i += {KernelPlanner.PageFloats}) PrefetchFour(ref {name}0, far, tokens + i);");

                Heads("j");
            }
        }

        // All heads, before the next keys.
        void Heads(string j)
        {
            using (w.Block($"for (int head = 0; head < heads; head++, {name}0 = ref At(ref {name}0, headStride))"))
            {
                w.Line($"int start = row + head * rows;\nref float w = ref At(ref weights, start * {weightRow} + {times}{j}), {row} = ref At(ref {rows}, start * {rowLength});");
                Streams(w, product, tile, inPages);
                if (inPages && dialect.Prefetches && tile.Rows > 1)
                    w.Line($"ref {type} " + string.Join(", ", Enumerable.Range(0, tile.Keys).Select(i => $"a{i} = ref At(ref {name}{i}, ahead{i})")) + ";");
                if (skips) w.Line("int m = row % block.Queries;");
                using (w.Block($"for (int i = 0; i < tiles; i++, w = ref At(ref w, {times}{weightRow}), {row} = ref At(ref {row}, {times}{rowLength}))"))
                {
                    if (skips)
                        w.Line($"if (!streams && SeesNone(ref m, {tile.Rows}, block.Queries, (int){(inPages ? "(from + j)" : "j")} - seen)) continue;");
                    body(tile);
                }
            }
        }
    }

    /// <summary>The rows that a tile fetches ahead: those of the next streams where they follow each other, few where other heads lie between. Tiles of several rows fetch whole pages ahead: see <see cref="PagesEmitter.Loop"/>.</summary>
    private static string AheadOf(CorePlan plan, DecodeTile tile, int dim, ElementType type) => tile.Rows == 1 || plan.Spec.InPages
        ? $"{KernelPlanner.TileAhead}"
        : $"(stride < {2 * dim} ? {Math.Min(KernelPlanner.GroupSteps * tile.Keys, KernelPlanner.GroupBytesAhead / (dim * ElementTable.Of(type).Bytes))} : {KernelPlanner.TileAhead})";

    /// <summary>The keys or values of a step after the first.</summary>
    private static void Streams(SourceWriter w, DecodeProduct product, DecodeTile tile, bool inPages)
    {
        string name = product.Name;
        w.Line($"ref {product.Type} " + string.Join(", ", Enumerable.Range(1, tile.Keys - 1).Select(key => product.IsScores
            ? $"k{key} = ref At(ref k0, Math.Min({Far(key)}, last))"
            : $"{name}{key} = ref At(ref {name}0, {Far(key)})")) + ";");
        string Far(int key) => inPages ? $"far{key}" : Address.Offset((key, "far"));
    }

    /// <summary>Declares which lines of a tile are fetched, or fetches those of a single row.</summary>
    private static void PrefetchTile(SourceWriter w, CorePlan plan, Dialect dialect, DecodeTile tile, string name, int dim, ElementType type)
    {
        if (!dialect.Prefetches) return;
        if (tile.Rows == 1 && plan.Spec.InPages) w.Line($"if (some == 1) PrefetchFourRows(ref {name}0, stride, ahead, {dim});");
        else if (tile.Rows > 1) w.Line($"nint mask = i > 0 ? -1 : {KernelPlanner.LineElements(type) - 1};");
        else if (name == "k") w.Line($"if (!streams) PrefetchFourRows(ref k0, stride, ahead, {dim});");
    }

    /// <summary>Fetches what lies ahead of a vector of each key or value, for the first tile of a head: see <see cref="KernelPlanner.TileAhead"/>.</summary>
    private static void Prefetch(SourceWriter w, CorePlan plan, Dialect dialect, DecodeTile tile, string name)
    {
        if (!dialect.Prefetches || tile.Rows == 1) return;
        string keys = string.Join(", ", Enumerable.Range(0, tile.Keys).Select(key => $"ref {(plan.Spec.InPages ? "a" : name)}{key}"));
        w.Line($"if ((d & mask) == 0) PrefetchAll({keys}, {(plan.Spec.InPages ? "d" : "d + ahead")});");
    }

    /// <summary>The scores of a tile at `w`, from the queries at `q` and the keys `k0`, `k1` ...</summary>
    public static void Scores(SourceWriter w, CorePlan plan, Dialect dialect, DecodeTile tile)
    {
        int headDim = plan.Spec.HeadDim, lanes = plan.Lanes, whole = headDim / lanes * lanes, chain = plan.Decode!.ChainVectors * lanes;
        var (rows, keys) = (Enumerable.Range(0, tile.Rows).ToList(), Enumerable.Range(0, tile.Keys).ToList());
        var inPlace = new InPlace(plan, tile.Keys);
        string Sum(int row, int key) => $"s{row}_{key}";
        PrefetchTile(w, plan, dialect, tile, "k", headDim, plan.ScoredKeys);

        // Sums in a vector of four: of all rows with a key, of two rows with two keys, of a row with four keys.
        var stores = Enumerable.Range(0, tile.Rows * tile.Keys / 4).Select(i => (Index: i, First: 4 / tile.Rows * i)).ToList();
        string Sums(int first) => $"Sums4({string.Join(", ", Enumerable.Range(0, 4).Select(lane => Sum(lane % tile.Rows, first + (lane / tile.Rows))))})";

        void Declare()
        {
            foreach (int row in rows) w.Line($"Vec {string.Join(", ", keys.Select(key => $"{Sum(row, key)} = Vec.Zero"))};");
            inPlace.Declare(w);
        }

        void Step(Func<string, string, string> load, string offset)
        {
            string Query(int row) => $"Load({Address.Arguments("q", DecodeStreams.Join(Address.Offset((row, "QueryRow")), offset))})";
            if (tile.Keys < tile.Rows)
            {
                // The fewer operands stay in registers.
                foreach (int key in keys) w.Line($"Vec x{key} = {load($"k{key}", offset)};{inPlace.Add(key)}");
                foreach (int row in rows) w.Line($"Vec q{row} = {Query(row)}; " + string.Join(" ", keys.Select(key => $"{Sum(row, key)} = MulAdd(q{row}, x{key}, {Sum(row, key)});")));
            }
            else
            {
                w.Line("Vec " + string.Join(", ", rows.Select(row => $"q{row} = {Query(row)}")) + ";");
                foreach (int key in keys) w.Line($"Vec x{key} = {load($"k{key}", offset)}; " + string.Join(" ", rows.Select(row => $"{Sum(row, key)} = MulAdd(q{row}, x{key}, {Sum(row, key)});")) + inPlace.Add(key));
            }
        }

        void Whole(string from, string to)
        {
            using (w.Block($"for (nint d = {from}; d < {to}; d += Lanes)"))
            {
                Prefetch(w, plan, dialect, tile, "k");
                Step((key, offset) => $"{plan.Loading("Load", plan.ScoredKeys)}(ref {key}, {offset})", "d");
            }
        }

        void Tail() => Step((key, offset) => $"{plan.Loading("LoadFirst", plan.ScoredKeys)}({Address.Arguments(key, offset)}, {headDim - whole})", $"{whole}");

        void Store(Func<(int Index, int First), string> sums)
        {
            foreach (var store in stores)
            {
                string value = sums(store) + (inPlace.IsEmpty ? "" : $" * {InPlace.FactorOf([.. Enumerable.Range(0, 4).Select(lane => store.First + (lane / tile.Rows))])}");
                string at = Address.Offset((tile.Rows * store.First, "apart"));
                w.Line(tile.Rows switch
                {
                    4 => $"Vectors128.Store({value}, ref w, {at});",
                    2 => $"Vectors128.StoreHalves({value}, ref w, {at}, 2 * apart);",
                    _ => $"Vectors128.Scatter({value}, ref w, apart);",
                });
            }
        }

        if (whole <= chain)
        {
            Declare();
            if (whole > 0) Whole("0", $"{whole}");
            if (whole < headDim)
                using (w.Block(""))
                    Tail();
            inPlace.DeclareFactors(w, fromTotals: false);
            Store(store => Sums(store.First));
            return;
        }

        void Total()
        {
            foreach (var (index, first) in stores) w.Line($"t{index} += {Sums(first)};");
            inPlace.AddToTotals(w);
        }

        w.Line("Vector128<float> " + string.Join(", ", stores.Select(store => $"t{store.Index}").Concat(inPlace.Totals).Select(name => $"{name} = Vector128<float>.Zero")) + ";");
        using (w.Block($"for (nint part = 0; part < {whole}; part += {chain})"))
        {
            w.Line($"// At most {plan.Decode!.ChainVectors} products for each partial sum: a longer chain would lose precision.");
            Declare();
            Whole("part", $"Math.Min(part + {chain}, {whole})");
            Total();
        }

        if (whole < headDim)
            using (w.Block(""))
            {
                Declare();
                Tail();
                Total();
            }

        inPlace.DeclareFactors(w, fromTotals: true);
        Store(store => $"t{store.Index}");
    }

    /// <summary>Adds to the states at `s` the weights at `w` times the values `v0`, `v1` ...</summary>
    public static void Values(SourceWriter w, CorePlan plan, Dialect dialect, DecodeTile tile)
    {
        int dim = plan.Spec.ValueDim, whole = dim / plan.Lanes * plan.Lanes;
        var (rows, keys) = (Enumerable.Range(0, tile.Rows).ToList(), Enumerable.Range(0, tile.Keys).ToList());
        PrefetchTile(w, plan, dialect, tile, "v", dim, plan.Spec.Elements.Value);
        string State(int row, string offset) => Address.Arguments("s", DecodeStreams.Join(Address.Offset((row, "StateRow")), offset));
        foreach (int row in rows)
            w.Line("Vec " + string.Join(", ", keys.Select(key => $"w{row}_{key} = Splat({Address.Arguments("w", Address.Offset((tile.Rows * key, "apart"), (row, "")))})")) + ";");
        if (whole > 0)
        {
            using (w.Block($"for (nint d = 0; d < {whole}; d += Lanes)"))
            {
                Prefetch(w, plan, dialect, tile, "v");
                Step(key => $"{plan.Loading("Load", plan.Spec.Elements.Value)}(ref v{key}, d)", "d");
            }
        }

        if (whole < dim)
            using (w.Block(""))
                Step(key => $"{plan.Loading("LoadFirst", plan.Spec.Elements.Value)}(ref v{key}, {whole}, {dim - whole})", $"{whole}");

        void Step(Func<int, string> load, string offset)
        {
            // The fewer operands stay in registers.
            if (tile.Rows <= tile.Keys)
            {
                w.Line("Vec " + string.Join(", ", rows.Select(row => $"o{row} = Load({State(row, offset)})")) + ";");
                foreach (int key in keys) w.Line($"Vec x{key} = {load(key)}; " + string.Join(" ", rows.Select(row => $"o{row} = MulAdd(w{row}_{key}, x{key}, o{row});")));
                w.Line(string.Join(" ", rows.Select(row => $"Store(o{row}, {State(row, offset)});")));
                return;
            }

            w.Line("Vec " + string.Join(", ", keys.Select(key => $"x{key} = {load(key)}")) + ";");
            foreach (int row in rows)
            {
                string sum = $"Load({State(row, offset)})";
                foreach (int key in keys) sum = $"MulAdd(w{row}_{key}, x{key}, {sum})";
                w.Line($"Store({sum}, {State(row, offset)});");
            }
        }
    }
}

/// <summary>What tiles of decode multiply: queries with keys, or weights with values.</summary>
/// <param name="IsScores">Which of the two.</param>
/// <param name="Source">The keys or the values; their first letter names those of a tile, `k0` or `v0`.</param>
/// <param name="Type">The type of their elements.</param>
/// <param name="Stride">The elements from one to the next.</param>
/// <param name="Dim">The elements of each.</param>
/// <param name="Row">The letter of the rows beside the weights.</param>
/// <param name="Rows">The first of these rows: queries, or states.</param>
/// <param name="RowLength">Floats of such a row.</param>
internal sealed record DecodeProduct(bool IsScores, string Source, string Type, string Stride, int Dim, string Row, string Rows, string RowLength)
{
    public static DecodeProduct Scores(CorePlan plan) => new(IsScores: true, "key", plan.ScoredKeyType, plan.Spec.Loads.CopiesKeys ? "QueryRow" : "block.KeyStride", plan.Spec.HeadDim, "q", "query", "QueryRow");

    public static DecodeProduct Values(CorePlan plan) => new(IsScores: false, "value", plan.ValueType, "block.ValueStride", plan.Spec.ValueDim, "s", "block.State", "StateRow");

    public string Name => Source.Substring(0, 1);

    /// <summary>The method of a kind of tiles.</summary>
    public string Method(DecodeTile tile) => $"{(IsScores ? "DecodeScores" : "DecodeValues")}{tile.Rows}x{tile.Keys}";
}
