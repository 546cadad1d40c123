using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Who watches the nodes has answered with an error: what does that say, and what is to be done about it?</summary>
internal static class Refusals
{
    public static bool IsOne(RedisAnswer answer) => answer.IsNoPermission;

    /// <param name="rights">What the user of ours lacks, as ACL SETUSER takes it, if the error is about that.</param>
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
