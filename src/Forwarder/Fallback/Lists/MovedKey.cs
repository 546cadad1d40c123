using System.Globalization;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Topology;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>Where can a key be written, if the one node that the user named may be part of a cluster, and may be a replica there?</summary>
/// <remarks>The client library does not go to other nodes: it is not told of any. Thread safe.</remarks>
internal sealed class MovedKey(UpstreamAddress upstream, UpstreamDatabase database, Func<bool> isInCluster)
{
    private volatile RedisAddress? _elsewhere;

    /// <summary>The place to try.</summary>
    /// <exception cref="IOException">No master is known.</exception>
    public ValueTask<StorePlace> PlaceAsync() => _elsewhere is { } node ? database.OfNodeAsync(node) : database.OfMasterAsync();

    /// <summary>Notes where the key is, if the fault tells it, or comes from a replica.</summary>
    /// <returns>Whether it is to be tried there.</returns>
    public async Task<bool> TryFollowAsync(Exception fault)
    {
        if (TryFollow(fault.Message)) return true;

        var isFromReplica = fault.Message.StartsWith("READONLY", StringComparison.Ordinal) || fault is RedisCommandException;
        return isFromReplica && isInCluster() && await TryFollowMasterAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Notes what an error says of the key's place: <c>MOVED slot host:port</c>, or in the client library's words <c>Key has MOVED to Endpoint host:port and ...</c>. The host may be
    /// empty: that of the node that was asked.
    /// </summary>
    /// <returns>Whether it is to be tried there.</returns>
    public bool TryFollow(string error)
    {
        var words = error.Split(' ');
        if (Array.IndexOf(words, "MOVED") is not (>= 0 and var moved)) return false;

        foreach (var word in words.Skip(moved + 1))
        {
            var colon = word.LastIndexOf(':');
            if (colon < 0 || !int.TryParse(word.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) continue;

            var host = word[..colon].Trim('[', ']');
            _elsewhere = upstream.NodeAt(host is "" or "?" ? upstream.Seeds[0].Host : host, port);
            return true;
        }

        return false;
    }

    /// <summary>Notes the master of the replica that was asked.</summary>
    private async Task<bool> TryFollowMasterAsync()
    {
        try
        {
            var place = await PlaceAsync().ConfigureAwait(false);
            if ((RedisResult[]?)await place.Database.ExecuteAsync("ROLE").ConfigureAwait(false) is not [var role, var host, var port, ..] || (string?)role != "slave")
            {
                return false;
            }

            _elsewhere = upstream.NodeAt((string)host!, (int)port);
            return true;
        }
        catch (Exception e) when (RedisListStore.IsExpected(e))
        {
            return false;
        }
    }

    /// <summary>The key could not be reached there: next time the node that the user named is asked.</summary>
    public void Forget() => _elsewhere = null;
}
