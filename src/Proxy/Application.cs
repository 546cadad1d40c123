using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Check;
using KeyEvt.Proxy.Options;

namespace KeyEvt.Proxy;

/// <summary>What is the program asked to do, and with which exit code does it end? 0 well, 1 it did not work, 2 a wrong option.</summary>
internal static class Application
{
    public const int WrongOption = 2;

    public static async Task<int> RunAsync(string[] args, IEnumerable<KeyValuePair<string, string>> environment, TextWriter output, TextWriter error)
    {
        var faults = new List<string>();
        var given = new CommandLineSource().Read(args, faults, out var command, out var helpOrVersion);
        if (helpOrVersion is not null) return await helpOrVersion.InvokeAsync(new() { Output = output, Error = error });

        var options = OptionPrecedence.Load(given, environment, faults);
        if (faults.Count > 0)
        {
            foreach (var fault in faults) await error.WriteLineAsync(fault);
            return WrongOption;
        }
        return command switch
        {
            CommandLineSource.Check => await CheckCommand.RunAsync(options, TimeProvider.System, output),
            CommandLineSource.Health => await HealthProbe.RunAsync(options.Admin, TimeProvider.System, output, error),
            _ => await RunUntilSignalAsync(options, output, error),
        };
    }

    private static async Task<int> RunUntilSignalAsync(ProxyOptions options, TextWriter output, TextWriter error)
    {
        using var signals = new StopSignals();
        return await Host.RunAsync(options, output, error, signals.Requested);
    }
}
