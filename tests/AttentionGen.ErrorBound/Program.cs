using System.Diagnostics;
using System.Globalization;
using AttentionGen;
using AttentionGen.ErrorBound;
using AttentionGen.Kernels.Tests;

// Measures what rows are off by beside what docs/exactness.md says they may be: calls, then a seed. DOTNET_EnableAVX512=0, DOTNET_EnableAVX2=0 and
// DOTNET_EnableHWIntrinsic=0 choose what runs.
int count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000, seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1;
double minutes = args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : double.PositiveInfinity;
var calls = new Calls(seed);
var tallies = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
var beside = new SortedDictionary<string, (double Largest, string Place)>(StringComparer.Ordinal);
var watch = Stopwatch.StartNew();
for (int number = 0; number < count; number++)
{
    var (inputs, filling, values) = calls[number];
    float[] output = inputs.Run(calls.KernelOf(inputs.Problem));
    double error = 0, plain = 0;
    foreach (var row in Bound.Rows(inputs, [output]))
    {
        (error, plain) = (Math.Max(error, row.Error), Math.Max(plain, row.Plain));
        Of($"{filling}, {values}").Add(row, inputs.Problem);
        Of("all").Add(row, inputs.Problem);
    }

    foreach (var row in Bound.Beside(inputs))
        if (row.FirstOrder && row.Bound > 0) beside[row.What] = beside.GetValueOrDefault(row.What) is var old && row.Error / row.Bound > old.Largest ? (row.Error / row.Bound, $"{inputs.Problem}, {row.Place}") : old;
    Of($"{filling}, {values}").Call(error, plain, inputs.Problem);
    Of("all").Call(error, plain, inputs.Problem);
    if (number == 0) watch.Restart(); // kernels are compiled before the first call
    if (watch.Elapsed.TotalMinutes > minutes) break;
}

Console.WriteLine($"{AttentionInfo.Isa}, at most {count} calls of seed {seed}, {watch.Elapsed.TotalSeconds:f0} s");
foreach (var (name, tally) in tallies) Console.WriteLine($"{name}: {tally}");
foreach (var (name, (largest, place)) in beside) Console.WriteLine($"{name}: {largest:f3} of the bound ({place})");
return;

Tally Of(string name) => tallies.TryGetValue(name, out var tally) ? tally : tallies[name] = new Tally();

/// <summary>What is kept of some calls.</summary>
internal sealed class Tally
{
    private int _rows, _calls, _exceeding, _manyRows, _manyExceeding, _beyond;
    private double _largest, _largestBeyond, _chains, _chainsAbove, _worst, _manyWorst;
    private string _place = "", _worstPlace = "";

    public void Add(RowError row, Problem problem)
    {
        if (!row.FirstOrder) { _beyond++; return; }
        _rows++;
        if (row.Unit == 0) return;
        double ratio = row.Error / row.Unit;
        _largest = Math.Max(_largest, ratio);
        _chains = Math.Max(_chains, row.Error / row.Chains);
        if (row.Error > 1e-6) _chainsAbove = Math.Max(_chainsAbove, row.Error / row.Chains);
        if (row.Error > Math.Max(1e-6, 2 * row.Plain) && ratio > _largestBeyond) (_largestBeyond, _place) = (ratio, $"{problem}, error {row.Error:g3}, plain {row.Plain:g3}");
    }

    public void Call(double error, double plain, Problem problem)
    {
        double excess = error / Math.Max(1e-6, 2 * plain);
        _calls++;
        if (excess > 1) _exceeding++;
        if (excess > _worst) (_worst, _worstPlace) = (excess, $"{problem}");
        if (problem.Rows < 64) return;
        _manyRows++;
        if (excess > 1) _manyExceeding++;
        _manyWorst = Math.Max(_manyWorst, excess);
    }

    public override string ToString() =>
        $"{_calls} calls, {_rows} rows ({_beyond} beyond first order): largest {_largest:f3} of 2^-24 (R S + V), {_chains:f3} of the chains, {_chainsAbove:f3} above 1e-6; {_largestBeyond:f3} among rows beyond 1e-6 and twice the plain error ({_place}); "
        + $"{100.0 * _exceeding / _calls:f2} % of calls beyond these, by up to {_worst:f1} times ({_worstPlace}); of {_manyRows} with 64 rows or more {_manyExceeding}, by up to {_manyWorst:f2}";
}
