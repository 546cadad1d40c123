// Which methods of AMQP 0-9-1 does the scripted broker know, by which number?
namespace KeyEvt.Servers;

/// <summary>Class id in the upper, method id in the lower 16 bits, as they stand at the start of a method frame.</summary>
internal enum AmqpMethod : uint
{
    ConnectionStart = (10 << 16) | 10,
    ConnectionStartOk = (10 << 16) | 11,
    ConnectionTune = (10 << 16) | 30,
    ConnectionTuneOk = (10 << 16) | 31,
    ConnectionOpen = (10 << 16) | 40,
    ConnectionOpenOk = (10 << 16) | 41,
    ConnectionClose = (10 << 16) | 50,
    ConnectionCloseOk = (10 << 16) | 51,
    ConnectionBlocked = (10 << 16) | 60,
    ConnectionUnblocked = (10 << 16) | 61,
    ChannelOpen = (20 << 16) | 10,
    ChannelOpenOk = (20 << 16) | 11,
    ChannelClose = (20 << 16) | 40,
    ChannelCloseOk = (20 << 16) | 41,
    ExchangeDeclare = (40 << 16) | 10,
    ExchangeDeclareOk = (40 << 16) | 11,
    BasicPublish = (60 << 16) | 40,
    BasicReturn = (60 << 16) | 50,
    BasicAck = (60 << 16) | 80,
    BasicNack = (60 << 16) | 120,
    ConfirmSelect = (85 << 16) | 10,
    ConfirmSelectOk = (85 << 16) | 11,
}
