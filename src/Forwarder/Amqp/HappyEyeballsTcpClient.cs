using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Net;
using RabbitMQ.Client;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// How is the broker's socket connected? By trying all addresses of the host name as <see cref="HappyEyeballs"/> does. The library alone would try
/// one address of each family, and wait its whole timeout for the first.
/// </summary>
public sealed class HappyEyeballsTcpClient(string hostName, HappyEyeballs race) : ITcpClient
{
    private Socket? _socket;

    public bool Connected => _socket?.Connected ?? false;

    public TimeSpan ReceiveTimeout
    {
        get => TimeSpan.FromMilliseconds(Client.ReceiveTimeout);
        set => Client.ReceiveTimeout = (int)value.TotalMilliseconds;
    }

    public Socket Client => _socket ?? throw new InvalidOperationException("not connected");

    /// <param name="host">The address that the library chose. It is ignored, because all addresses of the host name are tried.</param>
    public async Task ConnectAsync(IPAddress host, int port, CancellationToken cancellationToken = default) => _socket = await race.OpenAsync(hostName, port, cancellationToken).ConfigureAwait(false);

    public NetworkStream GetStream() => new(Client, ownsSocket: false);

    public void Close() => _socket?.Dispose();

    public void Dispose() => Close();
}
