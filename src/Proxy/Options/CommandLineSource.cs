using System.CommandLine;

namespace KeyEvt.Proxy.Options;

/// <summary>What does the command line demand: which command, with which options?</summary>
internal sealed class CommandLineSource
{
    public const string Run = "run", Check = "check", Health = "health";

    private readonly RootCommand _root;
    private readonly Dictionary<OptionSpec, Option> _options = [];

    public CommandLineSource()
    {
        _root = new RootCommand("A Redis sidecar that forwards keyspace events to RabbitMQ. Every option is also an environment variable, "
            + "KEYEVT_ and its name in upper case with _ for -, and an entry of the file of --config; the command line wins over the environment, the environment over the file. "
            + "Options marked * may be repeated; in the environment their values are separated by blanks or commas.")
        {
            new Command(Run, "run the proxy (also without a command)"),
            new Command(Check, "try each connection and permission, print what works and what does not; exit code 0 or 1"),
            new Command(Health, "ask a running proxy's /healthz at the address of --admin; exit code 0 or 1"),
        };
        foreach (var spec in OptionTable.WithConfig)
        {
            var option = Declare(spec);
            _options[spec] = option;
            _root.Add(option);
        }
        // The library demands a subcommand if a command has no action. The actions themselves are never invoked.
        foreach (var command in _root.Subcommands.Prepend(_root)) command.SetAction(_ => 0);
    }

    /// <summary>Reads the command line. <paramref name="answer"/> is set only if the command line asks for help or the version.</summary>
    public GivenOptions Read(IReadOnlyList<string> args, List<string> faults, out string command, out ParseResult? answer)
    {
        var parsed = Parse(args, reportUnmatched: false);
        command = parsed.CommandResult.Command == _root ? Run : parsed.CommandResult.Command.Name;
        // Parsed again for help, which otherwise would mention additional arguments.
        answer = parsed.Errors.Count == 0 && parsed.UnmatchedTokens.Count == 0 && parsed.Action != parsed.CommandResult.Command.Action ? Parse(args, reportUnmatched: true) : null;
        faults.AddRange(parsed.Errors.Select(error => error.Message));
        ReportUnmatched(parsed.UnmatchedTokens, faults);

        var given = new GivenOptions();
        foreach (var (spec, option) in _options)
        {
            if (parsed.GetResult(option) is { Implicit: false } result && result.Tokens.Count > 0)
            {
                given[spec.Name] = ("--" + spec.Name, [.. result.Tokens.Select(token => token.Value)]);
            }
        }
        return given;
    }

    /// <param name="reportUnmatched">False if faults are reported here: the library would print values, and one may be a password.</param>
    private ParseResult Parse(IReadOnlyList<string> args, bool reportUnmatched)
    {
        foreach (var command in _root.Subcommands.Prepend(_root)) command.TreatUnmatchedTokensAsErrors = reportUnmatched;
        // Without response files and bundling: a mask may begin with @, and a value with a dash.
        return _root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
    }

    private static Option Declare(OptionSpec spec)
    {
        var name = "--" + spec.Name;
        Option option = spec.Repeatable ? new Option<string[]>(name) { Arity = ArgumentArity.OneOrMore } : new Option<string>(name);
        option.Description = Describe(spec);
        option.HelpName = spec.ValueName;
        option.Recursive = true;
        return option;
    }

    /// <summary>Names unknown options, but not their values. A word behind an unknown option is taken for its value.</summary>
    private static void ReportUnmatched(IReadOnlyList<string> tokens, List<string> faults)
    {
        var afterOption = false;
        foreach (var token in tokens)
        {
            var isOption = token.StartsWith('-') && token.Length > 1;
            if (isOption) faults.Add($"{token.Split('=', ':')[0]} is not an option: see keyevt --help");
            else if (!afterOption) faults.Add("there is a word that is neither a command nor an option: see keyevt --help");
            afterOption = isOption && !token.Contains('=', StringComparison.Ordinal);
        }
    }

    private static string Describe(OptionSpec spec)
    {
        var shown = spec.DefaultShown ?? spec.Default;
        return (spec.Repeatable ? "* " : "") + spec.Meaning + (shown is null ? "" : $" [default: {shown}]");
    }
}
