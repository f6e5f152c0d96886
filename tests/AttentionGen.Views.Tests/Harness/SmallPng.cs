using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace AttentionGen.Views.Tests.Harness;

/// <summary>Makes screenshots small enough for the repository: 256 of its colours as a palette, in place of three bytes for each pixel.</summary>
internal static class SmallPng
{
    private const int Header = 8, Colours = 256;

    /// <param name="png">A PNG of 8-bit RGB or RGBA without interlacing, as Chromium writes it.</param>
    public static byte[] Of(byte[] png)
    {
        var (width, height, channels, data) = Read(png);
        int[] pixels = Pixels(data, width, height, channels);
        int[] palette = Palette([.. pixels.CountBy(pixel => pixel).OrderByDescending(colour => colour.Value).ThenBy(colour => colour.Key).Select(colour => colour.Key)]);
        var places = new Dictionary<int, byte>();
        byte[] rows = new byte[(width + 1) * height]; // each begins with its filter, which is none
        for (int i = 0; i < pixels.Length; i++)
        {
            if (!places.TryGetValue(pixels[i], out byte place)) places[pixels[i]] = place = Nearest(palette, pixels[i]);
            rows[i / width * (width + 1) + 1 + i % width] = place;
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) zlib.Write(rows);

        using var file = new MemoryStream();
        file.Write(png.AsSpan(0, Header));
        byte[] size = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(size, width);
        BinaryPrimitives.WriteInt32BigEndian(size.AsSpan(4), height);
        (size[8], size[9]) = (8, 3);
        Chunk(file, "IHDR", size);
        Chunk(file, "PLTE", [.. palette.SelectMany(colour => new[] { (byte)(colour >> 16), (byte)(colour >> 8), (byte)colour })]);
        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static (int Width, int Height, int Channels, byte[] Data) Read(byte[] png)
    {
        using var packed = new MemoryStream();
        int width = 0, height = 0, channels = 0;
        for (int at = Header, length; at < png.Length; at += 12 + length)
        {
            length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            var content = png.AsSpan(at + 8, length);
            switch (Encoding.ASCII.GetString(png, at + 4, 4))
            {
                case "IHDR":
                    (width, height) = (BinaryPrimitives.ReadInt32BigEndian(content), BinaryPrimitives.ReadInt32BigEndian(content[4..]));
                    channels = (content[8], content[9], content[12]) switch { (8, 2, 0) => 3, (8, 6, 0) => 4, _ => throw new NotSupportedException("The screenshot is another kind of PNG.") };
                    break;
                case "IDAT":
                    packed.Write(content);
                    break;
            }
        }

        packed.Position = 0;
        byte[] data = new byte[(width * channels + 1) * height];
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        zlib.ReadExactly(data);
        return (width, height, channels, data);
    }

    /// <summary>Undoes the filters of the rows.</summary>
    private static int[] Pixels(byte[] data, int width, int height, int channels)
    {
        int stride = width * channels;
        byte[] above = new byte[stride];
        int[] pixels = new int[width * height];
        for (int y = 0; y < height; y++)
        {
            int filter = data[y * (stride + 1)];
            var row = data.AsSpan(y * (stride + 1) + 1, stride);
            for (int x = 0; x < stride; x++)
            {
                int left = x >= channels ? row[x - channels] : 0, up = above[x], corner = x >= channels ? above[x - channels] : 0;
                row[x] += (byte)(filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, _ => Paeth(left, up, corner) });
            }

            for (int x = 0; x < width; x++) pixels[y * width + x] = row[x * channels] << 16 | row[x * channels + 1] << 8 | row[x * channels + 2];
            row.CopyTo(above);
        }

        return pixels;
    }

    private static int Paeth(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - 2 * corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    /// <summary>The most frequent colours of which no two are near each other, as near as a palette has room for.</summary>
    private static int[] Palette(int[] colours)
    {
        for (int least = 1; ; least += 1 + least / 4)
        {
            var palette = new List<int>();
            foreach (int colour in colours)
            {
                if (!palette.Exists(other => Distance(colour, other) < least)) palette.Add(colour);
                if (palette.Count > Colours) break;
            }

            if (palette.Count <= Colours) return [.. palette];
        }
    }

    private static byte Nearest(int[] palette, int colour)
    {
        int best = 0;
        for (int i = 1; i < palette.Length; i++) best = Distance(colour, palette[i]) < Distance(colour, palette[best]) ? i : best;
        return (byte)best;
    }

    private static int Distance(int colour, int other)
    {
        int red = (colour >> 16) - (other >> 16), green = (colour >> 8 & 255) - (other >> 8 & 255), blue = (colour & 255) - (other & 255);
        return 3 * red * red + 6 * green * green + blue * blue;
    }

    private static void Chunk(MemoryStream file, string name, byte[] content)
    {
        byte[] number = new byte[4], named = [.. Encoding.ASCII.GetBytes(name), .. content];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        file.Write(named);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(named));
        file.Write(number);
    }
}
