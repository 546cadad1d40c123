using KeyEvt.Forwarder.Redis;
using StackExchange.Redis.Configuration;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// With which user and password does the client library log in? It asks at each login, so a rotated password is used for the next connection.
/// </summary>
internal sealed class CurrentLogin(RedisAddress login) : DefaultOptionsProvider
{
    public override string? User => login.User;

    public override string? Password => login.Password?.ForLogin();
}
