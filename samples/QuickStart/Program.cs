using QuickStart;

try
{
    var sentence = Sentence.Read(Path.Combine(AppContext.BaseDirectory, "data", "quickstart.safetensors"));
    var heatMap = new HeatMap(sentence.Tokens, Terminal.Detect());
    bool pass = true;

    Report.Start(sentence);
    foreach (var layer in EncoderLayer.All)
    {
        var result = layer.Run(sentence);
        Report.Layer(layer, result);
        heatMap.Write(result.Map);
        pass &= result.Pass;
    }

    if (Build.IsDebug)
    {
        Report.NotTimed();
    }
    else
    {
        var result = new Race().Run();
        Report.Race(result);
        pass &= result.Pass;
    }

    Report.GeneratedFiles();
    return pass ? 0 : 1;
}
catch (Exception e) when (e is InvalidDataException or IOException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
