using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Files;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// Does a request carry the token of --admin-token-file? The file's present contents count, see <see cref="Secret"/>. The time of the comparison
/// reveals nothing about the token, not even its length.
/// </summary>
internal sealed class AdminToken(Secret secret)
{
    private const string Scheme = "Bearer ";

    /// <param name="authorization">The header's value; empty if there is none.</param>
    public bool IsIn(string authorization) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(authorization[Scheme.Length..].Trim(' ')), Hash(secret.Value));

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
