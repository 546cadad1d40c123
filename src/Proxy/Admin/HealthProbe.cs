using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Admin;

/// <summary>Is the proxy with these options alive? The command <c>keyevt health</c>, for containers that have no other program for asking.</summary>
internal static class HealthProbe
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    /// <summary>Returns exit code 0 if /healthz answers 200; else writes the reason and returns 1.</summary>
    public static async Task<int> RunAsync(AdminOptions options, TimeProvider time, TextWriter output, TextWriter error)
    {
        if (options.Address is null)
        {
            await error.WriteLineAsync("--admin is off: there is nothing to ask");
            return 1;
        }
        var shown = options.Address.ToString();
        try
        {
            using var end = new CancellationTokenSource(Deadline, time);
            using var client = new HttpClient(Handler(Reachable(options.Address.ToEndPoint()))) { Timeout = Timeout.InfiniteTimeSpan }; // it would be by the system's clock
            using var answer = await client.GetAsync(new Uri("http://localhost/healthz"), end.Token);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                await output.WriteLineAsync("alive");
                return 0;
            }
            await error.WriteLineAsync($"{shown} answered {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            await error.WriteLineAsync($"{shown} does not answer: {(e is HttpRequestException ? e.GetBaseException().Message : "timed out")}");
        }
        return 1;
    }

    /// <summary>The address to connect to. An address that means every interface is replaced by loopback, because one cannot connect to it.</summary>
    private static EndPoint Reachable(EndPoint admin) => admin switch
    {
        IPEndPoint ip when ip.Address.Equals(IPAddress.Any) => new IPEndPoint(IPAddress.Loopback, ip.Port),
        IPEndPoint ip when ip.Address.Equals(IPAddress.IPv6Any) => new IPEndPoint(IPAddress.IPv6Loopback, ip.Port),
        _ => admin,
    };

    private static SocketsHttpHandler Handler(EndPoint address) => new()
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = address is UnixDomainSocketEndPoint ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };
}
