using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>
/// Do two programs have the same options? A hash of all that a command could change, as the options gave it. The password is not part of it: it may be
/// renewed without being a change of what is forwarded.
/// </summary>
internal static class OptionsFingerprint
{
    private const int Digits = 16;
    private const int VersionDigits = 7;

    public static string Of(ForwarderConfig options)
    {
        var text = SharedConfigText.Write(new SharedConfig(0, "", "", options), null);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];
    }

    /// <summary>The number of a version that is made of these options. Those made by a command are times in milliseconds, and so are later.</summary>
    public static long FirstVersion(string fingerprint) => 1 + Convert.ToInt64(fingerprint[..VersionDigits], 16);
}
