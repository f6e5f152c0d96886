using AttentionGen.MaskPictures;

// Writes the pictures of docs/masks.md; with --check it only says which are not what the code makes of them. --page FILE writes them as one page with sliders instead.
if (args is ["--page", var page])
{
    Page.Write(page);
    Console.WriteLine($"written: {page}");
    return 0;
}

if (args is not ([] or ["--check"]))
{
    Console.Error.WriteLine("There are the options --check and --page FILE.");
    return 2;
}

string root = AppContext.BaseDirectory;
while (!File.Exists(Path.Combine(root, "AttentionGen.sln"))) root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("This is to be run inside the repository.");
string folder = Path.Combine(root, "docs", "masks");
bool check = args.Contains("--check"), differs = false;
Directory.CreateDirectory(folder);
foreach (var picture in Picture.All)
{
    string path = Path.Combine(folder, picture.Name + ".svg"), text = Svg.Of(picture.Name, Intervals.Of(picture));
    bool same = File.Exists(path) && File.ReadAllText(path) == text;
    differs |= !same;
    if (!same) Console.WriteLine($"{(check ? "not up to date" : "written")}: docs/masks/{picture.Name}.svg");
    if (!same && !check) File.WriteAllText(path, text);
}

if (!differs) Console.WriteLine($"{Picture.All.Count} pictures are up to date.");
return check && differs ? 1 : 0;
