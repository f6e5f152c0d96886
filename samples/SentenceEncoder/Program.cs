using System.CommandLine;
using SentenceEncoder.Commands;
using SentenceEncoder.Models;
using SentenceEncoder.Weights;

namespace SentenceEncoder;

internal static class Program
{
    private const int Done = 0, Incomplete = 1, Refused = 2;

    private static int Main(string[] arguments) => Run(arguments, Session.OfProcess(), ModelChoice.Load);

    /// <param name="arguments">The command line.</param>
    /// <param name="session">Where it reads and writes.</param>
    /// <param name="load">Loads a model by its name and the path of its weights.</param>
    /// <returns>0; 1 where sentences were left out, 2 where nothing could be done.</returns>
    internal static int Run(string[] arguments, Session session, Func<string, string?, TextEmbedder> load)
    {
        try
        {
            var commands = CommandLine.Commands(
                embed: options => Run(options, session, load, (_, embeddings, sentences, watch) => Embed.Run(embeddings, sentences, options, session, watch)),
                rank: (options, query, top) => Run(options, session, load, (model, embeddings, sentences, watch) =>
                    Rank.Run(model, embeddings, sentences, query, top, options, session, watch)),
                similar: options => Run(options, session, load, (_, embeddings, sentences, watch) => Similar.Run(embeddings, sentences, options, session, watch)),
                attend: (options, page) => Run(options, session, load, (model, _, sentences, _) => Attend.Run(model, sentences, page, options, session)));

            // A sentence may begin with @, which would name a file of arguments.
            var parsed = commands.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Errors.Count > 0) throw new Refusal($"{parsed.Errors[0].Message} --help lists what there is.");
            if (CommandLine.MistypedOption(parsed) is { } mistyped)
                throw new Refusal($"There is no option {mistyped}. Sentences that begin with -- follow after -- alone. --help lists what there is.");
            using var lines = session.Lines();
            return parsed.Invoke(new InvocationConfiguration { Output = lines, Error = session.Error, EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is Refusal or WeightsException or PlatformNotSupportedException or IOException or UnauthorizedAccessException)
        {
            session.Error.WriteLine(string.Join(' ', e.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))); // one line
            return Refused;
        }
    }

    private static int Run(Options options, Session session, Func<string, string?, TextEmbedder> load, Action<TextEmbedder, Embeddings, Sentences, EmbeddingReceiver> command)
    {
        using var sentences = Sentences.Open(options.Sentences, options.File, session);
        using var model = load(options.Model, options.Weights);
        var speed = new Speed(model, options.Threads);
        EmbeddingReceiver watch = options.Time ? speed.Watch : (_, _, _) => { };
        command(model, new Embeddings(model, session, options.Threads), sentences, watch);
        if (options.Time) speed.Report(session.Error);
        return sentences.Skipped == 0 ? Done : Incomplete;
    }
}
