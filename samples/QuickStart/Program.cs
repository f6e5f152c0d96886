Console.WriteLine(AttentionGen.AttentionInfo.Isa);
