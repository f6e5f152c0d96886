using System.Text.RegularExpressions;

namespace AttentionGen.Kernels.Tests;

/// <summary>A method of a core as the JIT lists it (DOTNET_JitDisasm).</summary>
internal sealed partial class MachineCode
{
    private readonly List<Block> _blocks = [];
    private readonly Regex _stack;

    /// <param name="listing">What the JIT writes between two headings, without comments on what it did.</param>
    private MachineCode(string name, string listing)
    {
        Name = name;
        _stack = listing.Contains("; rbp based frame", StringComparison.Ordinal) ? StackOrFrame() : Stack(); // without a frame, rbp is a register as any other
        foreach (string line in listing.Split('\n'))
        {
            if (Label().Match(line) is { Success: true } label) _blocks.Add(new Block(label.Groups[1].Value));
            else if (Instruction().IsMatch(line)) _blocks[^1].Instructions.Add(line.Trim());
        }

        for (int i = 0; i < _blocks.Count; i++)
        {
            foreach (string instruction in _blocks[i].Instructions)
                if (Jump().Match(instruction) is { Success: true } jump) _blocks[i].Next.Add(_blocks.FindIndex(block => block.Label == jump.Groups[1].Value));
            if (i + 1 < _blocks.Count && !End().IsMatch(_blocks[i].Instructions.LastOrDefault() ?? "")) _blocks[i].Next.Add(i + 1);
        }
    }

    /// <summary>Type and method, <c>forward_f32_d64__avx512_6x4:Scores</c>.</summary>
    public string Name { get; }

    /// <summary>The methods of cores in a listing.</summary>
    public static IReadOnlyList<MachineCode> Read(string listing) =>
    [
        .. from method in listing.ReplaceLineEndings("\n").Split("; Assembly listing for method ").Skip(1)
           let heading = Heading().Match(method)
           where heading.Success
           select new MachineCode(heading.Groups[1].Value, method),
    ];

    /// <summary>The loops with such instructions in which no other loop has any, each as its instructions.</summary>
    public IReadOnlyList<IReadOnlyList<string>> InnermostLoops(string mnemonic)
    {
        var loops = Loops().Where(loop => Instructions(loop).Any(instruction => instruction.StartsWith(mnemonic, StringComparison.Ordinal))).ToList();
        return [.. loops.Where(loop => !loops.Any(other => other.IsProperSubsetOf(loop))).Select(loop => Instructions(loop).ToList())];
    }

    /// <summary>What stands in any loop: all but what a call of the method does once.</summary>
    public IReadOnlyList<string> InLoops => [.. Instructions(Loops().SelectMany(loop => loop).Distinct())];

    /// <summary>Whether an instruction moves a vector, or an element of one, from or to the stack.</summary>
    public bool HasVectorOnStack(string instruction) => Vector().IsMatch(instruction) && _stack.IsMatch(instruction);

    private IEnumerable<string> Instructions(IEnumerable<int> blocks) => blocks.Order().SelectMany(block => _blocks[block].Instructions);

    /// <summary>
    /// The blocks of each natural loop: its head, which every way to the jump back to it passes, and all that leads from there to that jump. Where a loop begins with a
    /// jump to its end, that is the head. A jump back from rare code that stands last in the method is to no head.
    /// </summary>
    private IEnumerable<HashSet<int>> Loops()
    {
        var passed = Passed();
        return from last in Enumerable.Range(0, _blocks.Count)
               from head in _blocks[last].Next
               where passed[last].Contains(head)
               group LeadingTo(last, head) by head into bodies
               select bodies.SelectMany(body => body).ToHashSet();
    }

    /// <summary>For each block those that every way to it passes, and itself.</summary>
    private List<HashSet<int>> Passed()
    {
        var passed = _blocks.Select((_, i) => i == 0 ? [0] : Enumerable.Range(0, _blocks.Count).ToHashSet()).ToList();
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = 0; i < _blocks.Count; i++)
                foreach (int next in _blocks[i].Next)
                    changed |= passed[next].RemoveWhere(block => block != next && !passed[i].Contains(block)) > 0;
        }

        return passed;
    }

    private HashSet<int> LeadingTo(int last, int head)
    {
        HashSet<int> found = [head, last];
        var open = new Stack<int>(found.Where(block => block != head));
        while (open.TryPop(out int block))
            for (int i = 0; i < _blocks.Count; i++)
                if (_blocks[i].Next.Contains(block) && found.Add(i)) open.Push(i);
        return found;
    }

    /// <summary>Instructions with one entry.</summary>
    private sealed record Block(string Label)
    {
        public List<string> Instructions { get; } = [];

        public List<int> Next { get; } = [];
    }

    [GeneratedRegex(@"^\S*\.((?:forward|linear)_f32_\w+:\w+)\(")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^(G_M\w+_IG\w+):")]
    private static partial Regex Label();

    /// <summary>Padding is none: it may stand after a jump, and nothing leads from that to what comes next.</summary>
    [GeneratedRegex(@"^\s+(?!align\b)[a-z]")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"^j\w+\s+(?:SHORT )?(G_M\w+_IG\w+)")]
    private static partial Regex Jump();

    /// <summary>What nothing behind it follows.</summary>
    [GeneratedRegex(@"^(jmp|ret|int3)\b")]
    private static partial Regex End();

    [GeneratedRegex(@"\b[xyz]mm\d")]
    private static partial Regex Vector();

    [GeneratedRegex(@"\[rsp\b")]
    private static partial Regex Stack();

    [GeneratedRegex(@"\[r[sb]p\b")]
    private static partial Regex StackOrFrame();
}
