using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed;

/// <summary>
/// Which server is it, does it accept the login, and is it ready? HELLO 3 with the login, CLIENT SETNAME, INFO, and INFO again until all data are
/// loaded.
/// </summary>
/// <remarks>
/// While Redis loads an AOF it publishes each command that it replays, and accepts subscribers. So nobody may subscribe before loading has ended. It
/// is asked often, on the connection that is already open, so that the subscription follows at once.
/// <para>
/// The text of a failed HELLO is shown only if it cannot repeat the arguments. The error for an unknown command does repeat them, the password included.
/// </para>
/// </remarks>
internal sealed class FeedHandshake(FeedContext feed, CommandPipeline commands)
{
    private const string TooOld = "this server does not speak RESP3: Redis 6 or later is needed";

    private readonly RedisAddress _address = feed.Address;

    /// <summary>The node's answer to INFO, from before it had loaded its data; an error if INFO is refused.</summary>
    private RedisAnswer? _info;

    /// <exception cref="RedisFaultException">The node refuses the connection, or takes too long to answer.</exception>
    public async Task<NodeIdentity> GreetAsync(CancellationToken cancellation)
    {
        var hello = await HelloAsync(cancellation).ConfigureAwait(false);
        while (hello.ErrorCode == "LOADING") // before Redis 6.2
        {
            await PauseAsync(cancellation).ConfigureAwait(false);
            hello = await HelloAsync(cancellation).ConfigureAwait(false);
        }

        if (hello.IsError) throw new RedisFaultException(Explain(hello));

        feed.Remedies.Set(FeedAspect.Login, null);
        var named = InTimeAsync(commands.AskAsync("CLIENT", "SETNAME", feed.Options.ClientName), cancellation);
        var info = InTimeAsync(commands.AskAsync("INFO"), cancellation);
        await named.ConfigureAwait(false); // a connection without a name works as well
        _info = await info.ConfigureAwait(false);
        return Identify(hello, _info);
    }

    /// <summary>Returns when the node has loaded its data; at once if it is not loading.</summary>
    public async Task LoadedAsync(CancellationToken cancellation)
    {
        var mayInfo = _info is { IsError: false };
        var isLoading = mayInfo ? IsLoading(_info!) : await PingSaysLoadingAsync(cancellation).ConfigureAwait(false);
        if (!isLoading) return;

        FeedLog.Loading(feed.Logger, feed.Node);
        while (isLoading)
        {
            await PauseAsync(cancellation).ConfigureAwait(false);
            isLoading = mayInfo
                ? IsLoading(await InTimeAsync(commands.AskAsync("INFO", "persistence"), cancellation).ConfigureAwait(false))
                : await PingSaysLoadingAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the node loads its whole data set, or, as a replica that goes on serving the old data, a new one (<c>async_loading</c>).</summary>
    private static bool IsLoading(RedisAnswer info) => InfoText.Find(info.Text, "loading") == "1" || InfoText.Find(info.Text, "async_loading") == "1";

    private async Task<bool> PingSaysLoadingAsync(CancellationToken cancellation) =>
        (await InTimeAsync(commands.AskAsync("PING"), cancellation).ConfigureAwait(false)).ErrorCode == "LOADING";

    private Task<RedisAnswer> HelloAsync(CancellationToken cancellation) => InTimeAsync(
        _address.Password is null && _address.User is null
            ? commands.AskAsync("HELLO", "3")
            : commands.AskAsync("HELLO", "3", "AUTH", _address.User ?? "default", _address.Password?.ForLogin() ?? ""),
        cancellation);

    private Task PauseAsync(CancellationToken cancellation) => Task.Delay(feed.Options.LoadingInterval, feed.Time, cancellation);

    private Task<RedisAnswer> InTimeAsync(Task<RedisAnswer> answer, CancellationToken cancellation) =>
        answer.WaitAsync(feed.Options.HandshakeTimeout, feed.Time, cancellation);

    private RedisFault Explain(RedisAnswer hello)
    {
        var said = CleanText.Server(hello.Text, _address.Password?.Value);
        switch (hello.ErrorCode)
        {
            case "WRONGPASS":
                var remark = _address.Password?.Remark ?? "";
                _address.Password?.Refused();
                return Refuse($"the login as '{_address.User ?? "default"}' is refused: wrong user or password, or the user is off{remark}");
            case "NOAUTH":
                return Refuse("the server wants a login: give user and password in the address, redis://user:password@host:port");
            case "NOPERM":
                return Refuse($"the user '{_address.User ?? "default"}' may not HELLO: grant +hello");
            case "DENIED":
                return Refuse("the server is in protected mode: it has no password and takes local connections only");
            case "NOPROTO":
                return Refuse(TooOld);
        }

        if (hello.IsUnknownCommand) return Refuse(TooOld);
        return new RedisFault(RedisFaultKind.ConnectFailed, $"the server does not let us in: {said}");
    }

    private RedisFault Refuse(string remedy)
    {
        feed.Remedies.Set(FeedAspect.Login, remedy);
        return new RedisFault(RedisFaultKind.Refused, remedy);
    }

    private NodeIdentity Identify(RedisAnswer hello, RedisAnswer info)
    {
        if (RedisErrors.IsPassing(info))
        {
            throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node is not ready yet: {CleanText.Server(info.Text)}");
        }

        feed.Remedies.Set(FeedAspect.Eviction, info.IsError ? null : EvictionDanger(info.Text));
        var runId = info.IsError ? null : InfoText.Find(info.Text, "run_id");
        feed.Remedies.Set(
            FeedAspect.Identity,
            runId is null ? "INFO is refused: grant +info; until then message ids do not name the node" : null);
        var helloVersion = hello.Find("version") ?? "";
        var version = (info.IsError ? null : InfoText.Find(info.Text, "redis_version")) ?? helloVersion;
        return new NodeIdentity(runId ?? "", version, ServerOf(hello.Find("server") ?? "", helloVersion, version, info), hello.Find("mode") == "cluster");
    }

    /// <summary>The kind and version of the server. Valkey may call itself Redis in HELLO (extended-redis-compatibility), but not in INFO.</summary>
    private static ServerEvents ServerOf(string product, string helloVersion, string version, RedisAnswer info)
    {
        if (!info.IsError && InfoText.Find(info.Text, "valkey_version") is { } valkey) return ServerEvents.Of("valkey", valkey);
        return ServerEvents.Of(product, product.Length == 0 ? version : helloVersion);
    }

    /// <summary>A warning if eviction may remove the fallback storage: it is a key like any other, and its events are lost with it.</summary>
    private static string? EvictionDanger(string info)
    {
        string? policy = InfoText.Find(info, "maxmemory_policy"), limit = InfoText.Find(info, "maxmemory");
        return policy is not null && policy.StartsWith("allkeys-", StringComparison.Ordinal) && limit is not (null or "0")
            ? $"maxmemory-policy {policy} with maxmemory {limit} may evict the fallback storage and the events in it: use noeviction or a volatile- policy, or accept that"
            : null;
    }
}
