using System.Security.Cryptography;
using System.Text;

namespace KeyEvt.Forwarder.Config;

/// <summary>Of which group is a program that was given no name of one? Of those that send events to the same place.</summary>
/// <remarks>
/// The name is made of the broker, the virtual host, the exchange and the routing key that the program is started with. So several sidecars with the same options act as
/// one, and two that serve different consumers never do by accident.
/// </remarks>
public static class DefaultGroup
{
    private const int Digits = 12;

    /// <returns><c>to-</c> and hexadecimal digits.</returns>
    public static string Of(ForwarderConfig start)
    {
        string[] place = [start.Amqp.Host.ToLowerInvariant(), FormattableString.Invariant($"{start.Amqp.Port}"), start.Amqp.VirtualHost, start.Exchange, start.RoutingKey];
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', place)));
        return "to-" + Convert.ToHexStringLower(hash)[..Digits];
    }
}
