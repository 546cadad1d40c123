using KeyEvt.Forwarder.Redis;
using StackExchange.Redis.Configuration;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>As whom does the client library log in? It asks at each login, so that a password that was rotated is the one of the next connection.</summary>
internal sealed class CurrentLogin(RedisAddress login) : DefaultOptionsProvider
{
    public override string? User => login.User;

    public override string? Password => login.Password?.ForLogin();
}
