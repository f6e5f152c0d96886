namespace AttentionGen.CompilerServices;

// What emitted code called before it used rows and addresses of runs.
#pragma warning disable CS0282, CS1591, CS0649

public ref partial struct KeysToPack
{
    public readonly ref float Key => ref KeyRows.First<float>();

    public readonly nint KeyStride => KeyRows.Stride;

    public readonly ref float Value => ref ValueRows.First<float>();

    public readonly nint ValueStride => ValueRows.Stride;
}

public ref partial struct PrefillBlock
{
    public ref float PackedKeys;

    public ref float PackedValues;

    public readonly ref float Query => ref QueryRows.First<float>();

    public readonly nint QueryStride => QueryRows.Stride;

    public readonly ref float Output => ref OutputRows.First<float>();

    public readonly nint OutputStride => OutputRows.Stride;
}

public ref partial struct DecodeBlock
{
    public ref float Key;

    public ref float Value;

    public readonly ref float Query => ref QueryRows.First<float>();

    public readonly nint QueryStride => QueryRows.Stride;

    public readonly nint HeadStride => QueryRows.HeadStride;
}

public readonly unsafe partial struct KeyRun
{
    public int Keys { get => Count; init => Count = value; }

    public int Packed { get; init; }
}
