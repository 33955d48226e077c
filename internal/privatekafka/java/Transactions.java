import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Writes to a topic in transactions, of which every second one is aborted. Arguments: bootstrap servers, topic, how many
 * transactions, how many records in each. The value of record r of transaction t is "committed t r" or "aborted t r".
 * Does not end a transaction before its records are at the broker, so that aborted ones are there to be read.
 */
public class Transactions {
    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int transactions = Integer.parseInt(args[2]);
        int records = Integer.parseInt(args[3]);
        Properties settings = new Properties();
        settings.putAll(Map.of(
            "bootstrap.servers", args[0],
            "transactional.id", topic + "-transactions",
            "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
            "value.serializer", "org.apache.kafka.common.serialization.StringSerializer"));
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            producer.initTransactions();
            for (int t = 0; t < transactions; t++) {
                String fate = t % 2 == 0 ? "committed" : "aborted";
                producer.beginTransaction();
                for (int r = 0; r < records; r++) {
                    producer.send(new ProducerRecord<>(topic, fate + " " + t + " " + r));
                }
                producer.flush();
                if (t % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }
        }
    }
}
