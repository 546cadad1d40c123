using System.Text.RegularExpressions;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// What do the variables KEYEVT_* say? The values of a repeatable option are separated by blanks or commas; a value that contains one goes on the command line
/// or into the file. Rules, which contain blanks, are separated by line breaks. An empty variable counts as not set. A name that is no option is a fault, so
/// that a typo does not go unnoticed.
/// </summary>
internal static partial class EnvironmentSource
{
    private const string Prefix = "KEYEVT_";

    public static GivenOptions Read(IEnumerable<KeyValuePair<string, string>> variables, List<string> faults)
    {
        var given = new GivenOptions();
        foreach (var (name, value) in variables)
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            var option = OptionTable.WithConfig.FirstOrDefault(o => o.EnvironmentName == name);
            if (option is null)
            {
                if (!ServiceLink().IsMatch(name)) faults.Add($"{name} is not an option: see keyevt --help");
            }
            else if (value.Length > 0)
            {
                given[option.Name] = (name, option.Repeatable ? value.Split(option.Separators, StringSplitOptions.RemoveEmptyEntries) : [value]);
            }
        }
        return given;
    }

    /// <summary>Kubernetes sets such variables by itself, in every container of a namespace that has a service called keyevt or keyevt-something.</summary>
    [GeneratedRegex("^KEYEVT_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceLink();
}
