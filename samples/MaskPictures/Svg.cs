using System.Globalization;
using System.Text;

namespace AttentionGen.MaskPictures;

/// <summary>A picture as text: queries downwards, keys to the right.</summary>
internal static class Svg
{
    private const int Cell = 7, Margin = 2;

    public static string Of(string title, Touch[,] touched)
    {
        int rows = touched.GetLength(0), columns = touched.GetLength(1), width = columns * Cell + 2 * Margin, height = rows * Cell + 2 * Margin;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{title}: queries downwards, keys to the right</title>\n");
        text.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n");
        for (int row = 0; row < rows; row++)
        {
            for (int from = 0, to; from < columns; from = to)
            {
                for (to = from + 1; to < columns && touched[row, to] == touched[row, from];) to++;
                text.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Margin + from * Cell}\" y=\"{Margin + row * Cell}\" width=\"{(to - from) * Cell - 1}\" height=\"{Cell - 1}\" fill=\"{Color(touched[row, from])}\"/>\n");
            }
        }

        return text.Append("</svg>\n").ToString();
    }

    public static string Color(Touch touch) => touch switch
    {
        Touch.Whole => "#1f5fa8",
        Touch.Partly => "#5b9bd9",
        Touch.Computed => "#c98a1b",
        Touch.ComputedHidden => "#f0dcb4",
        Touch.Hidden => "#d4e3f2",
        _ => "#f1f1f1",
    };
}
