// Whose write is a key?
using System.Globalization;

namespace KeyEvt.Servers.Oracle;

/// <summary>t:&lt;run&gt;:&lt;writer&gt;:&lt;n&gt;: each key is written once, so one event of it is due, and its place among the writer's is known.</summary>
public static class OracleKey
{
    public static string Of(string run, int writer, int number) => string.Create(CultureInfo.InvariantCulture, $"t:{run}:{writer}:{number}");

    /// <summary>False when the key is none of this run's.</summary>
    public static bool TryRead(string run, string key, out int writer, out int number)
    {
        (writer, number) = (0, 0);
        return key.Split(':') is ["t", var its, var first, var second] && its == run
            && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out writer)
            && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
