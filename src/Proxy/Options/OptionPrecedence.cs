using System.Security.Cryptography;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Config;
using KeyEvt.Proxy.Files;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// Which value counts when several sources give one? The order is: command line, environment, file, load line, default. A repeatable option is taken from one
/// source only, never mixed.
/// </summary>
internal static class OptionPrecedence
{
    /// <summary>Reads all sources. The options are valid only if no fault was added.</summary>
    public static ProxyOptions Load(GivenOptions commandLine, IEnumerable<KeyValuePair<string, string>> variables, List<string> faults)
    {
        var environment = EnvironmentSource.Read(variables, faults);
        var config = commandLine.TryGetValue(OptionTable.Config.Name, out var named) || environment.TryGetValue(OptionTable.Config.Name, out named) ? named : default;
        var file = config.Values is [string path] ? FileSource.Read(path, faults) : [];

        var options = Defaults();
        List<NamedFile> files = config.Values is [string configFile] ? [new(config.Source, configFile, OptionTable.Config.NamesSecret)] : [];
        OptionSpec[] inOrder = [OptionTable.LoadModule, .. OptionTable.All.Where(option => option != OptionTable.LoadModule)];
        foreach (var option in inOrder)
        {
            if (!commandLine.TryGetValue(option.Name, out var given) && !environment.TryGetValue(option.Name, out given) && !file.TryGetValue(option.Name, out given))
            {
                continue;
            }

            options = option.Apply(options, new OptionInput(given.Source, given.Values, faults));
            if (option.NamesFile) files.Add(new NamedFile(given.Source, given.Values[0], option.NamesSecret));
        }
        options = options with { Forwarder = WithStartBroker(options.Logins.ApplyTo(options.Forwarder)), Files = files };
        faults.AddRange(ProxyOptionsValidator.Faults(options));
        return options;
    }

    /// <summary>The options when nothing is given.</summary>
    public static ProxyOptions Defaults()
    {
        var faults = new List<string>();
        var options = new ProxyOptions { Forwarder = new ForwarderOptions { Instance = RandomNumberGenerator.GetHexString(8, lowercase: true) } };
        foreach (var option in OptionTable.All)
        {
            if (option.Default is not null)
            {
                options = option.Apply(options, new OptionInput($"default of --{option.Name}", [option.Default], faults));
            }
        }
        return faults.Count == 0 ? options : throw new InvalidOperationException(string.Join("; ", faults));
    }

    /// <summary>
    /// Allows commands to name the broker that the program was started with, on the usual ports of its host, even after they have named another one.
    /// </summary>
    private static ForwarderOptions WithStartBroker(ForwarderOptions options)
    {
        var (start, allowed) = (options.Initial.Amqp, options.Initial.AmqpHosts);
        if (!allowed.Contains(AllowedBroker.Any) && !allowed.Any(broker => broker.Port is null && AmqpSettings.IsSameHost(broker.Host, start.Host)))
        {
            allowed = [.. allowed, new AllowedBroker(start.Host)];
        }

        return options with { Initial = options.Initial with { Configured = start, AmqpHosts = allowed } };
    }
}
