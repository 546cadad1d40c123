using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Topology;

/// <summary>A Sentinel or a cluster node has answered with an error: what does it mean, and what can be done about it?</summary>
internal static class Refusals
{
    public static bool IsOne(RedisAnswer answer) => answer.IsNoPermission;

    /// <param name="rights">The rights that KeyEvt's user would need, in the syntax of ACL SETUSER. Named if the error is about missing rights.</param>
    public static IOException Of(RedisAnswer answer, string rights)
    {
        var said = CleanText.Server(answer.Text);
        return new IOException(answer.ErrorCode switch
        {
            "NOPERM" => $"{said}: grant {rights} to the user",
            "NOAUTH" => $"{said}: give user and password in the address, those of Sentinels by --sentinel-user and --sentinel-password-file",
            _ => said,
        });
    }
}
