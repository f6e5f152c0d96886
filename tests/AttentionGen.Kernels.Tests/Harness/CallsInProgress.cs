using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The calls that threads of this process are in, in a file that outlives it: a kernel that touches a protected page ends the process, and no exception says what it was called with.
/// </summary>
internal sealed class CallsInProgress
{
    /// <summary>The environment variable with the file, where another process looks into it.</summary>
    public const string FileVariable = "ATTENTIONGEN_CALLS_IN_PROGRESS";

    private const int Slots = 64, SlotBytes = 4096;

    private static readonly Lazy<MemoryMappedViewAccessor> s_file = new(Open);

    private static readonly byte[] s_none = new byte[SlotBytes];

    private static readonly ConcurrentDictionary<Declaration, string> s_declarations = new();

    [ThreadStatic]
    private static string? t_text;

    /// <summary>Has the calls of this thread told by a text, until it is null.</summary>
    public static string? Text { set => t_text = value; }

    public static Ended Add(Problem problem) => Add(t_text ?? $"{s_declarations.GetOrAdd(problem.Declaration, Declared)}{problem}");

    /// <summary>A call of something else than a kernel.</summary>
    public static Ended Add(string call)
    {
        int slot = Environment.CurrentManagedThreadId % Slots * SlotBytes;
        byte[] text = Encoding.UTF8.GetBytes(call);
        int length = Math.Min(text.Length, SlotBytes - sizeof(int));
        s_file.Value.WriteArray(slot + sizeof(int), text, 0, length);
        s_file.Value.Write(slot, length);
        return new Ended(slot);
    }

    /// <summary>What a file tells; nothing where the process has ended its calls.</summary>
    public static string Read(string file)
    {
        if (!File.Exists(file)) return "";
        byte[] bytes = File.ReadAllBytes(file);
        var calls = from slot in Enumerable.Range(0, bytes.Length / SlotBytes)
                    let length = BitConverter.ToInt32(bytes, slot * SlotBytes)
                    where length > 0
                    select "In a call that has not ended: " + Encoding.UTF8.GetString(bytes, slot * SlotBytes + sizeof(int), length) + "\n";
        return string.Concat(calls);
    }

    private static string Declared(Declaration declaration) =>
        string.Concat(declaration.Source.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("[Attention") || line.Contains(" partial ") || line.StartsWith("private static")).Select(line => line + "\n"));

    private static MemoryMappedViewAccessor Open()
    {
        string? given = Environment.GetEnvironmentVariable(FileVariable);
        string file = given ?? Path.Combine(Path.GetTempPath(), $"attentiongen-calls-{Environment.ProcessId}");
        if (given is null) AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(file);
        return MemoryMappedFile.CreateFromFile(file, FileMode.Create, null, Slots * SlotBytes).CreateViewAccessor();
    }

    public readonly ref struct Ended(int slot)
    {
        public void Dispose() => s_file.Value.WriteArray(slot, s_none, 0, SlotBytes);
    }
}
