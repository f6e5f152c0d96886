using System.Text;

namespace AttentionGen.SentenceEncoder.Tests.Harness;

/// <summary>Texts of many kinds.</summary>
internal static class Texts
{
    public static string[] Sentences { get; } =
    [
        "The animal didn't cross the street because it was too tired.",
        "How old are you?", "What is your age?", "hi", "A", "?", "12,345.67 USD", "C# is not C++; $5 + 3% = `x` ^ ~ | <y>",
        "Naïve café owners in Zürich and Łódź drank crème brûlée.", "東京は日本の首都です。", "我喜欢吃苹果", "안녕하세요 세계", "Привет, мир!", "مرحبا بالعالم", "नमस्ते दुनिया",
        "Great job 👍🏽 see you 👩‍👩‍👧 soon 🎉", "tab\tand\u00A0space\u3000wide", "UPPER lower MiXeD İstanbul STRASSE Straße", "ﬁne ligature ½ x² ™ ΑΓΓΕΛΟΣ",
        "https://example.org/a_b?c=d&e=f#g", "x",
        string.Join(' ', Enumerable.Repeat("the quick brown fox jumps over the lazy dog", 12)),
        string.Join(' ', Enumerable.Repeat("supercalifragilistic expialidocious", 60)),
    ];

    /// <summary>Random texts: of words, of ASCII, of one plane of Unicode, of all that has a meaning.</summary>
    public static IEnumerable<string> Random(int count, int seed)
    {
        var random = new Random(seed);
        for (int n = 0; n < count; n++)
        {
            var text = new StringBuilder();
            int length = random.Next(1, n % 10 == 0 ? 900 : 40), kind = n % 4;
            for (int i = 0; i < length; i++)
            {
                text.Append(random.Next(6) == 0 ? new Rune(' ') : kind switch
                {
                    0 => new Rune(random.Next('a', 'z' + 1)),
                    1 => new Rune(random.Next(' ', 127)),
                    2 => Draw(0xA0, 0x3400),
                    _ => Draw(0x20, 0x20000),
                });
            }
            yield return text.ToString();
        }

        Rune Draw(int from, int to)
        {
            int value;
            do value = random.Next(from, to);
            while (!Rune.IsValid(value));
            return new Rune(value);
        }
    }
}
